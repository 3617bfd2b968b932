"""The journal's tables. `VERSION` changes with any of them; a journal of another version is refused, not guessed at."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

VERSION: Final = 1

metadata: Final = MetaData()

about: Final = Table(
    "about",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

cursors: Final = Table(
    "cursors",
    metadata,
    Column("follower", String, primary_key=True),
    Column("cursor", LargeBinary, nullable=False),
)

inbox: Final = Table(
    "inbox",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=True),
    Column("follower", String, nullable=False),
    Column("tx", String, nullable=False),
    Column("event", Integer, nullable=False),
    UniqueConstraint("follower", "tx", "event"),
)

duties: Final = Table(
    "duties",
    metadata,
    Column("kind", String, primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("state", String, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reason", String),
    Column("closed", Boolean, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("open_duties", "closed", "deadline"),
    Index("duties_about", "subject"),
)

transactions: Final = Table(
    "transactions",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=True),
    Column("digest", String, nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
    Column("signatures", LargeBinary, nullable=False),
    Column("purpose", String, nullable=False),
    Column("status", String, nullable=False),
)
