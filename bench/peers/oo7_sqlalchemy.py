"""OO7 by SQLAlchemy's ORM, on the tables that bench/oo7_store.c makes.

usage: oo7_sqlalchemy.py lazy|selectin|joined START LOOKUP...

START and LOOKUP are ids of atomic parts that T7 and Q1 begin with.  Each line of the
output is an operation, "cold" or "hot", its count, its sum and its seconds; whoever
runs this compares count and sum with what they must be.  Cold is a new session on a
connection and an engine that are warm.
"""

import os
import sys
import time

from sqlalchemy import Column, ForeignKey, Integer, Text, create_engine
from sqlalchemy.orm import (Session, declarative_base, joinedload, relationship, selectinload)

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


class Tally:
    count = 0
    sum = 0

    def touch(self, id, x, y):
        self.count += 1
        self.sum += id ^ (x + 3 * y)


# ---- what an operation needs, loaded as the strategy says ----


def load_tree(session, strategy):
    if strategy == "lazy":
        return []
    load = selectinload if strategy == "selectin" else joinedload
    return [session.query(ComplexAssembly)
            .options(load(ComplexAssembly.complexes), load(ComplexAssembly.bases)).all(),
            session.query(BaseAssembly)
            .options(load(BaseAssembly.components).joinedload(Component.composite)).all()]


def load_parts(session, strategy, roots_only=False):
    """The objects must be held: the session does not."""
    if strategy == "lazy":
        return []
    load = selectinload if strategy == "selectin" else joinedload
    query = session.query(CompositePart)
    if roots_only:
        return query.options(load(CompositePart.root)).all()
    # The targets of connections are parts that are loaded by then.
    return query.options(load(CompositePart.parts).options(load(AtomicPart.outgoing))).all()


# ---- traversals ----


def walk_part(part, visited, visit, first):
    if part.id in visited:
        return
    visited.add(part.id)
    visit(part, first)
    for connection in part.outgoing:
        walk_part(connection.to, visited, visit, False)


def walk(session, each):
    def assembly(at):
        for complex in at.complexes:
            assembly(complex)
        for base in at.bases:
            for component in base.components:
                each(component.composite)

    assembly(session.query(Module).one().root)


def traverse(session, visit):
    walk(session, lambda composite: walk_part(composite.root, set(), visit, True))


def t1(session, strategy, tally):
    traverse(session, lambda part, first: tally.touch(part.id, part.x, part.y))


def t2b(session, strategy, tally):
    def swap(part, first):
        part.x, part.y = part.y, part.x
        tally.touch(part.id, part.x, part.y)

    traverse(session, swap)
    session.commit()


def t3b(session, strategy, tally):
    def redate(part, first):
        part.build_date += 1 if part.build_date % 2 else -1
        tally.touch(part.id, part.build_date, 0)

    traverse(session, redate)
    session.commit()


def t6(session, strategy, tally):
    walk(session, lambda composite: tally.touch(composite.root.id, composite.root.x,
                                                composite.root.y))


def t7(session, strategy, tally):
    seen = set()
    for use in session.get(AtomicPart, START).composite.uses:
        seen.add(("base", use.user.id))
        at = use.user.parent
        while at:
            seen.add(("complex", at.id))
            at = at.parent
    tally.count = len(seen)


def q1(session, strategy, tally):
    for id in LOOKUPS:
        part = session.get(AtomicPart, id)
        tally.touch(part.id, part.x, part.y)


def q7(session, strategy, tally):
    for part in session.query(AtomicPart):
        tally.touch(part.id, part.x, part.y)


# ---- running them ----


def nothing(session, strategy):
    return []


def roots(session, strategy):
    return [load_tree(session, strategy), load_parts(session, strategy, True)]


def everything(session, strategy):
    return [load_tree(session, strategy), load_parts(session, strategy)]


def timed(name, how, session, strategy, load, run):
    tally = Tally()
    started = time.perf_counter()
    held = load(session, strategy) if how == "cold" else []
    run(session, strategy, tally)
    print(name, how, tally.count, tally.sum, time.perf_counter() - started, flush=True)
    return held


def main(strategy):
    address = dict(item.split("=", 1) for item in os.environ["PAOS_CONNINFO"].split())
    engine = create_engine("postgresql+psycopg2://", connect_args=address)
    with engine.connect() as connection, Session(connection, expire_on_commit=False,
                                                 autoflush=False) as warm:
        t6(warm, strategy, Tally())
    for name, load, run in (("T1", everything, t1), ("T2B", everything, t2b),
                            ("T3B", everything, t3b), ("T6", roots, t6), ("T7", nothing, t7),
                            ("Q1", nothing, q1), ("Q7", nothing, q7)):
        # One statement for each of 40,000 objects, again and again: T1 shows it well enough.
        if strategy == "lazy" and name in ("T2B", "T3B"):
            continue
        with Session(engine, expire_on_commit=False, autoflush=False) as session:
            held = timed(name, "cold", session, strategy, load, run)
            if name == "T1":
                held.append(session.query(Module).all())
                timed(name, "hot", session, strategy, load, run)
                timed(name, "hot", session, strategy, load, run)


START = int(sys.argv[2])
LOOKUPS = [int(id) for id in sys.argv[3:]]
main(sys.argv[1])
