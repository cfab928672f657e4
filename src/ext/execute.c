/*
 * execute.c - SQL text run through SPI.
 *
 * Names from outside come in quoted.  A user's table is changed as the user, whose
 * ownership PostgreSQL checks, in functions that pin search_path to pg_catalog.  Only
 * the extension's own tables are written as their owner; search_path is pinned here
 * then, or a function in a schema of the caller's would run as the owner.
 */
#include "adopt.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"

void PaosExecute(const char *format, ...)
{
    StringInfoData sql;
    va_list args;
    int needed;
    int result;

    initStringInfo(&sql);
    do
    {
        va_start(args, format);
        needed = appendStringInfoVA(&sql, format, args);
        va_end(args);
        if (needed != 0)
            enlargeStringInfo(&sql, needed);
    } while (needed != 0);

    result = SPI_execute(sql.data, false, 0);
    if (result < 0)
        elog(ERROR, "SPI_execute failed: %s: %s", SPI_result_code_string(result), sql.data);
}

Oid PaosResultOid(void)
{
    bool isnull;
    Datum value;

    if (SPI_processed == 0)
        return InvalidOid;
    value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    return isnull ? InvalidOid : DatumGetObjectId(value);
}

void PaosExecuteAsOwner(const char *sql, int nargs, Oid *types, Datum *values)
{
    Oid user;
    int context;
    int settings = NewGUCNestLevel();
    int result;

    (void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                             GUC_ACTION_SAVE, true, 0, false);
    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(PaosOwner(), context | SECURITY_LOCAL_USERID_CHANGE);
    result = SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0);
    SetUserIdAndSecContext(user, context);
    AtEOXact_GUC(true, settings);
    if (result < 0)
        elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}
