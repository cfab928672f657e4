/*
 * version.c - does the library go with the SQL that is installed?
 *
 * A package brings a new library to every database at once, but the SQL changes
 * only where somebody says ALTER EXTENSION, and a session keeps the library it has
 * loaded.  Where the two differ, nothing of a class may be used: looked at whenever
 * the classes are read anew, which every update script brings about.
 */
#include "paos.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/* The version of the SQL in this database; NULL: while the extension is being dropped. */
static char *InstalledVersion(void)
{
    Relation relation;
    SysScanDesc scan;
    ScanKeyData key;
    HeapTuple tuple;
    char *version = NULL;

    ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
                CStringGetDatum("paos"));
    relation = table_open(ExtensionRelationId, AccessShareLock);
    scan = systable_beginscan(relation, ExtensionNameIndexId, true, NULL, 1, &key);
    tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple))
    {
        bool isnull;
        Datum value =
            heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(relation), &isnull);

        version = isnull ? NULL : TextDatumGetCString(value);
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return version;
}

/* Is `a` an earlier version than `b`?  By their numbers: 0.9 is before 0.10. */
static bool IsEarlier(const char *a, const char *b)
{
    for (;;)
    {
        char *end_a;
        char *end_b;
        long number_a = strtol(a, &end_a, 10);
        long number_b = strtol(b, &end_b, 10);

        if (number_a != number_b)
            return number_a < number_b;
        if (*end_a != '.' || *end_b != '.')
            return *end_a != '.' && *end_b == '.';
        a = end_a + 1;
        b = end_b + 1;
    }
}

bool PaosVersionFits(void)
{
    char *installed = InstalledVersion();

    return installed != NULL && strcmp(installed, PAOS_VERSION) == 0;
}

void PaosVersionCheck(void)
{
    char *installed = InstalledVersion();

    if (installed == NULL || strcmp(installed, PAOS_VERSION) == 0)
        return;
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("extension \"paos\" is of version %s, but its library is of version %s",
                   installed, PAOS_VERSION),
            IsEarlier(installed, PAOS_VERSION)
                ? errhint("Run ALTER EXTENSION paos UPDATE in this database.")
                : errhint("Install the library of version %s, then restart the server, or"
                          " reconnect if the library is not preloaded.",
                          installed));
}
