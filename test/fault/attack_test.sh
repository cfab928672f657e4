#!/bin/bash
# Some 30 rounds of attacks, every kind at least once, with every promise checked after
# each: see docs/fault.md.  FAULT_SEED and FAULT_ROUNDS make it another run.
cd "$(dirname "$0")/../.." || exit 1
exec build/fault/attack --rounds "${FAULT_ROUNDS:-30}" --seed "${FAULT_SEED:-1}"
