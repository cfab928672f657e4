# How test, example and bench programs are built: one source file, one program.
#
# The client is compiled once for each variant (plain, asan, fuzz): sanitized
# and other objects must never meet in one program.

ASAN_FLAGS = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_FLAGS = $(ASAN_FLAGS) -fsanitize=fuzzer-no-link
HEADERS = $(wildcard src/*/*.h src/client/adapters/*.h test/*/*.h examples/*/*.h bench/*.h)
FAKES = $(sort $(wildcard test/unit/fake_*.c))
TEST_FLAGS = -Itest/unit -Itest/client
# OO7 is a test in its smallest configuration.
OO7_SRC = $(addprefix bench/,oo7_graph.c oo7_store.c oo7_model.c oo7_paos.c oo7_paos_query.c \
	oo7_paos_change.c sql.c wire.c)
# Tests of the client use what the library keeps to itself, so all link libpaos.a.

# What the adapters' test needs more.
LOOP_LIBS = $(if $(filter %/adapter_test,$@),-luv -lev)

# $(1) variant, $(2) compiler, $(3) flags
define variant
build/$(1)/client/%.o: src/client/%.c $(HEADERS)
	@mkdir -p $$(@D)
	$(2) $$(CLIENT_FLAGS) $(3) -c -o $$@.$$$$$$$$ $$< && mv $$@.$$$$$$$$ $$@
build/$(1)/libpaos.a: $$(CLIENT_SRC:src/client/%.c=build/$(1)/client/%.o)
	rm -f $$@.tmp && $$(AR) crs $$@.tmp $$^ && mv $$@.tmp $$@
# The fakes stand in for pgio.c and dial.c.
build/$(1)/libunit.a: $$(patsubst src/client/%.c,build/$(1)/client/%.o,$$(filter-out %/pgio.c %/dial.c,$$(CLIENT_SRC)))
	rm -f $$@.tmp && $$(AR) crs $$@.tmp $$^ && mv $$@.tmp $$@

build/$(1)/unit/%: test/unit/%.c $$(FAKES) build/$(1)/libunit.a $$(HEADERS)
	@mkdir -p $$(@D)
	$(2) $$(CLIENT_FLAGS) $$(TEST_FLAGS) $(3) -o $$@ $$< $$(FAKES) build/$(1)/libunit.a \
		-lcmocka $$(PQ_LIBS) -lm
build/$(1)/integration/%: test/client/%.c build/$(1)/libpaos.a $$(HEADERS)
	@mkdir -p $$(@D)
	$(2) $$(CLIENT_FLAGS) $$(TEST_FLAGS) $(3) -o $$@ $$(filter %.c,$$^) build/$(1)/libpaos.a -lcmocka $$(PQ_LIBS) $$(LOOP_LIBS) -lm
build/$(1)/integration/oo7_test: $$(OO7_SRC)
build/$(1)/random/%: test/random/%.c build/$(1)/libpaos.a $$(HEADERS)
	@mkdir -p $$(@D)
	$(2) $$(CLIENT_FLAGS) $$(TEST_FLAGS) $(3) -o $$@ $$< build/$(1)/libpaos.a $$(PQ_LIBS) -lm
build/$(1)/paos: $$(COMMAND_SRC) build/$(1)/libpaos.a $$(HEADERS)
	$(2) $$(CLIENT_FLAGS) $$(COMMAND_FLAGS) $(3) -o $$@.tmp $$(COMMAND_SRC) build/$(1)/libpaos.a \
		$$(PQ_LIBS) -ljansson -lm && mv $$@.tmp $$@
endef
$(eval $(call variant,plain,$$(CC),$$(CLIENT_CFLAGS)))
$(eval $(call variant,asan,$$(CC),-g $$(ASAN_FLAGS)))
$(eval $(call variant,fuzz,clang,-g $$(FUZZ_FLAGS)))

CLIENT_TESTS = $(notdir $(basename $(wildcard test/client/*_test.c)))
.PHONY: integration examples bench-programs
integration: $(foreach v,asan plain,$(CLIENT_TESTS:%=build/$(v)/integration/%))

build/paos: build/plain/paos
	cp $< $@.tmp && mv $@.tmp $@

# A fuzz target includes the server sources it feeds, on stand-ins of its own
# (test/fuzz/fake_*.c) for what PostgreSQL gives them.
build/fuzz/%_fuzz: test/fuzz/%_fuzz.c $(wildcard test/fuzz/fake_*.c) $(wildcard src/ext/*.c) \
		$(GENERATED) build/fuzz/libpaos.a $(HEADERS)
	@mkdir -p $(@D)
	clang -g -D_GNU_SOURCE -Wall -Wextra $(PG_NO_WARN) -Isrc/ext -Isrc/client -Itest/fuzz \
		-I$(shell $(PG_CONFIG) --includedir-server) $(PQ_CFLAGS) $(ASAN_FLAGS) -fsanitize=fuzzer \
		-o $@ $< $(wildcard test/fuzz/fake_*.c) build/fuzz/libpaos.a $(PQ_LIBS) -lm

# An example is one file, with what is in the directory of its name; the
# benchmark is all files of bench.
# $(1) program, without build/; $(2) its sources
define program
build/$(1): $(2) build/libpaos.a $$(HEADERS)
	@mkdir -p $$(@D)
	$$(CC) $$(CLIENT_FLAGS) $$(CLIENT_CFLAGS) -o $$@ $(2) build/libpaos.a $$(PQ_LIBS) -lm
endef
EXAMPLES = $(basename $(wildcard examples/*.c))
$(foreach e,$(EXAMPLES),$(eval $(call program,$(e),$(e).c $(wildcard $(e)/*.c))))
$(eval $(call program,bench/run,$(wildcard bench/*.c)))
$(eval $(call program,fault/attack,$(wildcard test/fault/attack/*.c)))
build/fault/attack: $(wildcard test/fault/attack/*.h)
$(eval $(call program,fault/program,test/fault/program/main.c))
examples: $(EXAMPLES:%=build/%)
bench-programs: build/bench/run build/proxy

# A network that can be made slow, or break.
build/proxy: tools/proxy.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -O2 -g -o $@ $<

# --- every source by either compiler, warnings being errors ----------------------

WERROR_CLIENT = $(CLIENT_SRC) $(wildcard test/unit/*.c test/client/*.c test/random/*.c test/fault/*/*.c \
	examples/*.c examples/*/*.c bench/*.c tools/*.c) $(COMMAND_SRC)
# $(1) compiler, $(2) flags
define werror
WERROR_$(1) = $$(patsubst %.c,build/werror-$(1)/%.o,$$(OBJS:.o=.c) $$(WERROR_CLIENT))
.PHONY: werror-$(1) list-werror-$(1)
werror-$(1): $$(WERROR_$(1))
list-werror-$(1):
	@printf '%s\n' $$(WERROR_$(1))
$$(patsubst %.c,build/werror-$(1)/%.o,$$(OBJS:.o=.c)): build/werror-$(1)/%.o: %.c $$(GENERATED) $$(HEADERS)
	@mkdir -p $$(@D)
	$(1) $$(CPPFLAGS) $$(CFLAGS) -fPIC $(2) -Werror -c -o $$@ $$<
$$(patsubst %.c,build/werror-$(1)/%.o,$$(WERROR_CLIENT)): build/werror-$(1)/%.o: %.c $$(HEADERS)
	@mkdir -p $$(@D)
	$(1) $$(CLIENT_FLAGS) $$(TEST_FLAGS) $$(COMMAND_FLAGS) -O2 $(2) -Werror -c -o $$@ $$<
endef
$(eval $(call werror,gcc))
# The flags of a PostgreSQL built by gcc, and its headers, have what clang does not know.
$(eval $(call werror,clang,-Wno-unknown-warning-option -Wno-ignored-optimization-argument \
	-Wno-ignored-attributes))
