# Builds the extension (PGXS) and the C client; `make help` lists the targets.
#
# Must parse on a machine without PostgreSQL: `make demo` and the like first run
# tools/deps, then make again, and only that second make finds PGXS.

PG_CONFIG ?= pg_config
export PG_CONFIG
PAOS_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" paos.control)
SOVERSION = 0

# --- the extension ------------------------------------------------------------

EXTENSION = paos
MODULE_big = paos
GENERATED = $(patsubst %.l,%.c,$(wildcard src/ext/*.l)) $(patsubst %.y,%.c,$(wildcard src/ext/*.y))
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/ext/*.c) $(GENERATED)))
# Released scripts never change: a database of that version is updated from them.
DATA = $(wildcard sql/paos--*--*.sql sql/released/paos--*.sql)
DATA_built = sql/paos--$(PAOS_VERSION).sql
PG_CPPFLAGS = -DPAOS_VERSION='"$(PAOS_VERSION)"'
PG_CFLAGS = -Wall -Wextra -Werror=implicit-function-declaration $(PG_NO_WARN)
# Every SQL-callable function has fcinfo, and PostgreSQL's own headers compare
# signed with unsigned and leave initializers short.
PG_NO_WARN = -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

# Order does not matter: each file is a noun and cleans up after itself.
REGRESS = $(sort $(basename $(notdir $(wildcard test/regress/sql/*.sql))))
ISOLATION = $(sort $(basename $(notdir $(wildcard test/regress/specs/iso_*.spec))))
REGRESS_OUT ?= build/regress
REGRESS_WHERE = --inputdir=test/regress --outputdir=$(REGRESS_OUT) --load-extension=paos
# A database of its own kind: whatever the server's other databases are.
REGRESS_WHERE += --encoding=UTF8 --no-locale
REGRESS_OPTS = $(REGRESS_WHERE)
ISOLATION_OPTS = $(REGRESS_WHERE)
REGRESS_PREP = regress-prep

# Bitcode would need the very clang PostgreSQL was built with, and none of our
# functions is small enough for the JIT to inline.
override with_llvm := no

PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
else
all install installcheck uninstall clean:
	@echo "PostgreSQL's server development files are missing: make deps" >&2; exit 1
endif

$(DATA_built): sql/paos.sql
	cp $< $@.$$$$ && mv $@.$$$$ $@

# The parser's header is made with the parser; touch keeps it no older.
src/ext/query_gram.c: src/ext/query_gram.y
	bison -Wno-deprecated -d -o $@ $<
src/ext/query_gram.h: src/ext/query_gram.c
	@touch $@
src/ext/query_scan.c: src/ext/query_scan.l
	flex -o $@ $<
src/ext/version.o: paos.control
$(OBJS): $(wildcard src/ext/*.h) $(patsubst %.y,%.h,$(wildcard src/ext/*.y))

.PHONY: regress-prep
regress-prep:
	@mkdir -p $(REGRESS_OUT)

# --- the client ---------------------------------------------------------------

CLIENT_PREFIX ?= /usr
CLIENT_LIBDIR ?= $(CLIENT_PREFIX)/lib$(if $(filter /usr,$(CLIENT_PREFIX)),$(addprefix /,$(shell $(CC) -print-multiarch)))
CLIENT_INCLUDEDIR ?= $(CLIENT_PREFIX)/include
CLIENT_CFLAGS ?= -O2 -g
PQ_CFLAGS := -I$(shell $(PG_CONFIG) --includedir 2>/dev/null)
PQ_LIBS := -L$(shell $(PG_CONFIG) --libdir 2>/dev/null) -lpq -ljansson

CLIENT_SRC = $(sort $(wildcard src/client/*.c))
CLIENT_OBJS = $(CLIENT_SRC:src/client/%.c=build/plain/client/%.o)
CLIENT_FLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -fPIC -Isrc/client $(PQ_CFLAGS)
ifneq ($(CLIENT_SRC),)
CLIENT = build/libpaos.a build/libpaos.so
endif

# What programs include; paos.h brings the others along.
PUBLIC_HEADERS = paos.h paos_value.h paos_request.h

# The command is a program on the library, linked with its archive so that it
# runs from the tree and never meets another version.
COMMAND_SRC = $(sort $(wildcard src/cli/*.c))
COMMAND_FLAGS = -DPAOS_VERSION='"$(PAOS_VERSION)"'
COMMAND_BINDIR ?= $(CLIENT_PREFIX)/bin
COMMAND_MANDIR ?= $(CLIENT_PREFIX)/share/man/man1
COMMAND_COMPLETIONS ?= $(CLIENT_PREFIX)/share/bash-completion/completions
ifneq ($(CLIENT),)
COMMAND = build/paos
endif

include tools/programs.mk

.PHONY: client install-client uninstall-client clean-build
ifneq ($(PGXS),)
all: client
install: install-client
uninstall: uninstall-client
clean: clean-build
endif

client: $(CLIENT) $(COMMAND)

# Outputs appear whole, under their final name, so that two makes can overlap.
build/libpaos.a: $(CLIENT_OBJS)
	rm -f $@.tmp && $(AR) crs $@.tmp $^ && mv $@.tmp $@
build/libpaos.so.$(SOVERSION): $(CLIENT_OBJS) src/client/paos.map
	$(CC) -shared -Wl,-soname,libpaos.so.$(SOVERSION) -Wl,--version-script=src/client/paos.map \
		-Wl,-z,defs $(LDFLAGS) -o $@.tmp $(CLIENT_OBJS) $(PQ_LIBS) && mv $@.tmp $@
build/libpaos.so: build/libpaos.so.$(SOVERSION)
	ln -sfn libpaos.so.$(SOVERSION) $@

install-client: client
ifneq ($(CLIENT),)
	install -d '$(DESTDIR)$(CLIENT_LIBDIR)/pkgconfig' '$(DESTDIR)$(CLIENT_INCLUDEDIR)/paos/adapters'
	install -m 644 $(PUBLIC_HEADERS:%=src/client/%) '$(DESTDIR)$(CLIENT_INCLUDEDIR)'
	install -m 644 src/client/adapters/*.h '$(DESTDIR)$(CLIENT_INCLUDEDIR)/paos/adapters'
	install -m 644 build/libpaos.a build/libpaos.so.$(SOVERSION) '$(DESTDIR)$(CLIENT_LIBDIR)'
	ln -sfn libpaos.so.$(SOVERSION) '$(DESTDIR)$(CLIENT_LIBDIR)/libpaos.so'
	sed -e 's|@PREFIX@|$(CLIENT_PREFIX)|' -e 's|@LIBDIR@|$(CLIENT_LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(CLIENT_INCLUDEDIR)|' -e 's|@VERSION@|$(PAOS_VERSION)|' \
		src/client/paos.pc.in >'$(DESTDIR)$(CLIENT_LIBDIR)/pkgconfig/paos.pc'
	install -d '$(DESTDIR)$(COMMAND_BINDIR)' '$(DESTDIR)$(COMMAND_MANDIR)' '$(DESTDIR)$(COMMAND_COMPLETIONS)'
	install -m 755 build/paos '$(DESTDIR)$(COMMAND_BINDIR)'
	install -m 644 docs/paos.1 '$(DESTDIR)$(COMMAND_MANDIR)'
	install -m 644 src/cli/paos.bash '$(DESTDIR)$(COMMAND_COMPLETIONS)/paos'
endif

uninstall-client:
	rm -rf '$(DESTDIR)$(CLIENT_INCLUDEDIR)/paos'
	rm -f $(PUBLIC_HEADERS:%='$(DESTDIR)$(CLIENT_INCLUDEDIR)/%') \
		'$(DESTDIR)$(CLIENT_LIBDIR)/libpaos.a' '$(DESTDIR)$(CLIENT_LIBDIR)/libpaos.so' \
		'$(DESTDIR)$(CLIENT_LIBDIR)/libpaos.so.$(SOVERSION)' \
		'$(DESTDIR)$(CLIENT_LIBDIR)/pkgconfig/paos.pc' '$(DESTDIR)$(COMMAND_BINDIR)/paos' \
		'$(DESTDIR)$(COMMAND_MANDIR)/paos.1' '$(DESTDIR)$(COMMAND_COMPLETIONS)/paos'

clean-build:
	rm -rf build $(GENERATED) src/ext/query_gram.h

# --- for people ---------------------------------------------------------------

.PHONY: help deps deps-demo deps-test deps-bench server psql stop demo test bench fuzz soak format format-check
help:
	@sed -n 's/^#: //p' Makefile

#: make               build the extension and the client
#: make install       install both (DESTDIR, CLIENT_PREFIX); make uninstall removes them
#: make installcheck  regression tests of the installed extension on your running server
#: make deps          install the Debian packages needed, or list them
deps:
	@tools/deps build
deps-demo:
	@tools/deps demo
deps-test:
	@tools/deps test
deps-bench:
	@tools/deps bench

#: make demo          objects and requests in two minutes (PACKAGE=name: whose dependencies to walk)
demo: deps-demo
	@tools/demo $(PACKAGE)

#: make server        start a private server in this tree, print its conninfo
#: make psql          a psql on it
#: make stop          stop it; its data stays (tools/server destroy removes it)
server: deps
	@tools/server start
psql: deps
	@tools/server start >/dev/null
	@tools/server psql
stop:
	@tools/server stop

#: make test          all tests (TESTS='unit regress': some of tools/check)
test: deps-test
	@tools/test $(TESTS)

#: make bench         compare with hand-written libpq (CASE=name: one case)
bench: deps-bench
	@tools/bench $(CASE)

#: make fuzz          the fuzz targets, longer (FUZZ_SECONDS=600 each)
fuzz: deps-test
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) tools/check/fuzz

#: make soak          rounds of attacks, all promises checked (ROUNDS=1000 SEED=1)
soak: deps-test
	@$(MAKE) -s all build/fault/attack
	@tools/server run --extension -- build/fault/attack --rounds $(or $(ROUNDS),1000) \
		--seed $(or $(SEED),1)

#: make format        format the C sources; make format-check only looks
format: deps-test
	@clang-format -i $$(tools/sources)
format-check: deps-test
	@tools/check/format

#: make clean         remove what was built
