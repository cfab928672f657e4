"""OO7 by Django's ORM, on the tables that bench/oo7_store.c makes: unmanaged models.

usage: oo7_django.py lazy|select_related|prefetch_related LEVELS START LOOKUP...      (see oo7.py)

There is no identity map: what is reached twice is another object, loaded again, unless one
prefetch brought both.  So updates of parts that are reached often need prefetch_related.
"""

import sys

try:
    import django
    import psycopg2  # noqa: F401
except ImportError:
    print("python3-django python3-psycopg2")
    sys.exit(0)

import oo7
from django.conf import settings

settings.configure(
    USE_TZ=True,
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": oo7.ADDRESS["dbname"],
        "USER": oo7.ADDRESS.get("user"), "HOST": oo7.ADDRESS["host"], "PORT": oo7.ADDRESS["port"],
        "OPTIONS": {"options": "-c search_path=oo7"}}})
django.setup()

from django.db import connection, models, transaction  # noqa: E402


def foreign(to, column, related_name="+"):
    return models.ForeignKey(to, models.DO_NOTHING, db_column=column, null=True,
                             related_name=related_name)


class Table(models.Model):
    class Meta:
        abstract = True
        managed = False
        app_label = "oo7"


class Design(Table):
    type = models.TextField()
    build_date = models.IntegerField()

    class Meta(Table.Meta):
        abstract = True


class Module(Design):
    root = foreign("ComplexAssembly", "design_root")

    class Meta(Table.Meta):
        db_table = "module"


class ComplexAssembly(Design):
    parent = foreign("self", "super", "complexes")

    class Meta(Table.Meta):
        db_table = "complex_assembly"
        ordering = ["id"]


class BaseAssembly(Design):
    parent = foreign("ComplexAssembly", "super", "bases")

    class Meta(Table.Meta):
        db_table = "base_assembly"
        ordering = ["id"]


class Component(Table):
    """One of the places of a base assembly. A key of two columns is more than Django knows."""
    user = models.ForeignKey("BaseAssembly", models.DO_NOTHING, db_column="assembly",
                             related_name="components")
    place = models.IntegerField(primary_key=True)
    composite = foreign("CompositePart", "part", "uses")

    class Meta(Table.Meta):
        db_table = "component"
        ordering = ["place"]


class CompositePart(Design):
    root = foreign("AtomicPart", "root_part")

    class Meta(Table.Meta):
        db_table = "composite_part"


class AtomicPart(Design):
    x = models.IntegerField()
    y = models.IntegerField()
    document = models.IntegerField()
    composite = foreign("CompositePart", "part_of", "parts")

    class Meta(Table.Meta):
        db_table = "atomic_part"


class Connection(Table):
    type = models.TextField()
    length = models.IntegerField()
    source = foreign("AtomicPart", "source", "outgoing")
    to = foreign("AtomicPart", "target")

    class Meta(Table.Meta):
        db_table = "connection"
        ordering = ["id"]


# A prefetch or join has to name each level.
UPWARDS = "__".join(["user"] + ["parent"] * oo7.LEVELS)


class Django(oo7.Mapper):
    module = None

    def start(self):
        self.module = None
        self.known = {}
        connection.close()
        connection.ensure_connection()

    def count(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        self.statements += 1
        self.rows += max(context["cursor"].rowcount, 0)
        return result

    # ---- prefetch_related: everything, a statement for each relation ----

    def load(self, operation):
        if oo7.STRATEGY != "prefetch_related" or operation in ("T7", "Q1", "Q7"):
            return
        names = ["__".join(["root"] + ["complexes"] * level) for level in range(oo7.LEVELS)]
        last = names[-1] + "__bases__components__composite"
        names.append(last + "__root" if operation == "T6" else last + "__parts__outgoing")
        self.module = Module.objects.prefetch_related(*names).get()
        if operation != "T6":
            self.link()

    def link(self):
        """Roots and targets are among the parts: a prefetch would make other objects of them."""
        def assembly(at):
            for complex in at.complexes.all():
                assembly(complex)
            for base in at.bases.all():
                for component in base.components.all():
                    composite = component.composite
                    self.known.update((part.id, part) for part in composite.parts.all())
                    composite.root = self.known[composite.root_id]

        assembly(self.module.root)

    # ---- the other ways ----

    def root(self):
        module = self.module or Module.objects.get()
        return module.root

    def every(self, relation):
        names = {"user": "composite__root", "composite": UPWARDS, "source": "to"}
        if oo7.STRATEGY == "select_related" and relation.field.name in names:
            return relation.select_related(names[relation.field.name])
        return relation.all()

    def target(self, connection):
        return self.known.get(connection.to_id) or connection.to

    def some_parts(self, ids):
        return AtomicPart.objects.in_bulk(ids)

    def part_with_users(self, id):
        parts = AtomicPart.objects
        if oo7.STRATEGY == "select_related":
            parts = parts.select_related("composite")
        if oo7.STRATEGY == "prefetch_related":
            parts = parts.prefetch_related("composite__uses__" + UPWARDS)
        return parts.get(id=id)

    def parts(self):
        return AtomicPart.objects.all()

    def save(self, changed, fields):
        with transaction.atomic():
            AtomicPart.objects.bulk_update(changed, fields, batch_size=500)


django_way = Django()
with connection.execute_wrapper(django_way.count):
    oo7.serve(django_way)
