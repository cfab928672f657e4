/*
 * health.c - what paos.health cannot learn by SQL: the library as it is loaded,
 * and how full the mailboxes are.
 *
 * Must work when the library does not go with the installed SQL, for that is what
 * it is asked about then: nothing here may look at a class.
 */
#include "request.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(paos_library);
PG_FUNCTION_INFO_V1(paos_mailboxes);

/* paos.library(OUT version text, OUT preloaded bool) */
Datum paos_library(PG_FUNCTION_ARGS)
{
    Datum values[] = {CStringGetTextDatum(PAOS_VERSION), BoolGetDatum(paos_preloaded)};
    bool nulls[lengthof(values)] = {false};
    TupleDesc desc;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "paos.library must return a row");
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static void PutMailbox(int backend, uint32 letters, void *arg)
{
    ReturnSetInfo *result = arg;
    Datum values[] = {Int32GetDatum(backend), Int64GetDatum(letters)};
    bool nulls[lengthof(values)] = {false};

    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* paos.mailboxes(OUT backend int, OUT letters bigint) */
Datum paos_mailboxes(PG_FUNCTION_ARGS)
{
    PaosShared *shared = PaosSharedGet(false);

    InitMaterializedSRF(fcinfo, 0);
    if (shared != NULL)
        PaosMailLook(shared, PutMailbox, fcinfo->resultinfo);
    return (Datum) 0;
}
