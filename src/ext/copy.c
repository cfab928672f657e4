/*
 * copy.c - paos.copy(table, columns, data): COPY BINARY out of a parameter.
 *
 * A client cannot COPY in the middle of a pipeline; this is COPY as a function,
 * so that storing many new objects keeps both COPY's speed and the pipeline's
 * single round trip.  The work is batch.c's, or the server's own CopyFrom; what
 * COPY's command layer does, neither does: privileges and row-level security are
 * checked here.
 */
#include "paos.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/copy.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/rls.h"

PG_FUNCTION_INFO_V1(paos_copy);

/* What the callback reads, which has no argument for it; a trigger may nest one copy in another. */
typedef struct CopySource
{
    const char *data;
    size_t left;
    struct CopySource *outer;
} CopySource;

static CopySource *source = NULL;

static int ReadSource(void *buffer, int minimum, int maximum)
{
    int n = (int) Min(source->left, (size_t) maximum);

    memcpy(buffer, source->data, n);
    source->data += n;
    source->left -= n;
    return n;
}

/* To COPY no columns would mean all of them, to its check of privileges any. */
static List *ColumnNames(ArrayType *array)
{
    List *names = NIL;
    Datum *elements;
    bool *nulls;
    int n;
    int i;

    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
    if (n == 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("columns must not be empty"));
    for (i = 0; i < n; i++)
    {
        if (nulls[i])
            ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                    errmsg("column name must not be null"));
        names = lappend(names, makeString(TextDatumGetCString(elements[i])));
    }
    return names;
}

static void CheckPrivileges(ParseState *pstate, Relation relation, List *columns)
{
    RangeTblEntry *entry =
        addRangeTableEntryForRelation(pstate, relation, RowExclusiveLock, NULL, false, false)
            ->p_rte;
    ListCell *cell;

    entry->requiredPerms = ACL_INSERT;
    foreach (cell, columns)
    {
        AttrNumber column = attnameAttNum(relation, strVal(lfirst(cell)), false);

        if (column > 0)
            entry->insertedCols =
                bms_add_member(entry->insertedCols, column - FirstLowInvalidHeapAttributeNumber);
    }
    ExecCheckRTPerms(pstate->p_rtable, true);
    if (check_enable_rls(RelationGetRelid(relation), InvalidOid, false) == RLS_ENABLED)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("paos.copy does not support row-level security"),
                errhint("Use INSERT with paos.rows instead."));
}

static uint64 CopyRows(ParseState *pstate, Relation relation, List *columns, bytea *data)
{
    List *options = list_make1(makeDefElem("format", (Node *) makeString("binary"), -1));
    CopySource own = {VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), source};
    volatile uint64 n = 0;

    source = &own;
    PG_TRY();
    {
        CopyFromState state =
            BeginCopyFrom(pstate, relation, NULL, NULL, false, ReadSource, columns, options);

        n = CopyFrom(state);
        EndCopyFrom(state);
    }
    PG_FINALLY();
    {
        source = own.outer;
    }
    PG_END_TRY();
    return n;
}

/* paos.copy(table regclass, columns text[], data bytea) returns bigint */
Datum paos_copy(PG_FUNCTION_ARGS)
{
    Relation relation;
    ParseState *pstate = make_parsestate(NULL);
    List *columns = ColumnNames(PG_GETARG_ARRAYTYPE_P(1));
    uint64 n;

    PreventCommandIfReadOnly("paos.copy");
    relation = table_open(PG_GETARG_OID(0), RowExclusiveLock);
    CheckPrivileges(pstate, relation, columns);
    if (!PaosBatchCopy(pstate, relation, columns, PG_GETARG_BYTEA_PP(2), &n))
        n = CopyRows(pstate, relation, columns, PG_GETARG_BYTEA_PP(2));
    table_close(relation, NoLock);
    free_parsestate(pstate);
    PG_RETURN_INT64(n);
}
