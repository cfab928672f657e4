"""OO7 by SQLAlchemy's ORM, on the tables that bench/oo7_store.c makes.

usage: oo7_sqlalchemy.py lazy|selectin|joined LEVELS START LOOKUP...      (see oo7.py)

A session has an identity map: an object is loaded once, and changed in one place.
"""

import sys

try:
    from sqlalchemy import Column, ForeignKey, Integer, Text, create_engine, event
    from sqlalchemy.orm import (Session, declarative_base, joinedload, relationship, selectinload)
except ImportError:
    print("python3-sqlalchemy")
    sys.exit(0)

import oo7

Base = declarative_base()


def foreign(table):
    return Column(Integer, ForeignKey("oo7.%s.id" % table))


class Design:
    __table_args__ = {"schema": "oo7"}
    id = Column(Integer, primary_key=True)
    type = Column(Text)
    build_date = Column(Integer)


class Module(Design, Base):
    __tablename__ = "module"
    design_root = foreign("complex_assembly")
    root = relationship("ComplexAssembly", foreign_keys=[design_root])


class ComplexAssembly(Design, Base):
    __tablename__ = "complex_assembly"
    super = foreign("complex_assembly")
    parent = relationship("ComplexAssembly", remote_side="ComplexAssembly.id",
                          back_populates="complexes")
    complexes = relationship("ComplexAssembly", order_by="ComplexAssembly.id",
                             back_populates="parent")
    bases = relationship("BaseAssembly", order_by="BaseAssembly.id", back_populates="parent")


class BaseAssembly(Design, Base):
    __tablename__ = "base_assembly"
    super = foreign("complex_assembly")
    parent = relationship("ComplexAssembly", back_populates="bases")
    components = relationship("Component", order_by="Component.place",
                              back_populates="user")


class Component(Base):
    """One of the places of a base assembly: the same composite part may be in several."""
    __tablename__ = "component"
    __table_args__ = {"schema": "oo7"}
    assembly = Column(Integer, ForeignKey("oo7.base_assembly.id"), primary_key=True)
    place = Column(Integer, primary_key=True)
    part = foreign("composite_part")
    user = relationship("BaseAssembly", back_populates="components")
    composite = relationship("CompositePart", back_populates="uses")


class CompositePart(Design, Base):
    __tablename__ = "composite_part"
    root_part = foreign("atomic_part")
    root = relationship("AtomicPart", foreign_keys=[root_part], post_update=True)
    parts = relationship("AtomicPart", foreign_keys="AtomicPart.part_of",
                         back_populates="composite")
    uses = relationship("Component", back_populates="composite")


class AtomicPart(Design, Base):
    __tablename__ = "atomic_part"
    x = Column(Integer)
    y = Column(Integer)
    document = Column(Integer)
    part_of = foreign("composite_part")
    composite = relationship("CompositePart", foreign_keys=[part_of], back_populates="parts")
    outgoing = relationship("Connection", foreign_keys="Connection.source",
                            order_by="Connection.id")


class Connection(Base):
    __tablename__ = "connection"
    __table_args__ = {"schema": "oo7"}
    id = Column(Integer, primary_key=True)
    type = Column(Text)
    length = Column(Integer)
    source = foreign("atomic_part")
    target = foreign("atomic_part")
    to = relationship("AtomicPart", foreign_keys=[target])


class SQLAlchemy(oo7.Mapper):
    session = None

    def __init__(self):
        # The fastest way it has to send many UPDATEs.
        engine = create_engine("postgresql+psycopg2://", connect_args=oo7.ADDRESS,
                               executemany_mode="values_plus_batch")
        event.listen(engine, "after_cursor_execute", self.count)
        self.engine = engine
        self.eager = {"selectin": selectinload, "joined": joinedload}.get(oo7.STRATEGY)

    def count(self, connection, cursor, statement, parameters, context, executemany):
        self.statements += 1
        # A batch of UPDATEs tells of its last only.
        self.rows += max(cursor.rowcount, 0)

    def start(self):
        if self.session:
            self.session.close()
        self.held = []
        self.engine.dispose()
        self.session = Session(self.engine, expire_on_commit=False, autoflush=False)
        self.session.connection()

    def load(self, operation):
        """The objects must be held: the session does not."""
        if not self.eager or operation in ("T7", "Q1", "Q7"):
            return
        query, load = self.session.query, self.eager
        self.held = [
            query(ComplexAssembly).options(load(ComplexAssembly.complexes),
                                           load(ComplexAssembly.bases)).all(),
            query(BaseAssembly).options(load(BaseAssembly.components)
                                        .joinedload(Component.composite)).all()]
        if operation == "T6":
            composites = query(CompositePart).options(load(CompositePart.root))
        else:
            # The targets of connections are parts that are loaded by then.
            composites = query(CompositePart).options(
                load(CompositePart.parts).options(load(AtomicPart.outgoing)))
        self.held.append(composites.all())

    def root(self):
        module = self.session.query(Module).one()
        self.held.append(module)
        return module.root

    def some_parts(self, ids):
        return {part.id: part for part in self.parts().filter(AtomicPart.id.in_(ids))}

    def part_with_users(self, id):
        return self.session.get(AtomicPart, id)

    def parts(self):
        return self.session.query(AtomicPart)

    def save(self, changed, fields):
        self.session.commit()


oo7.serve(SQLAlchemy())
