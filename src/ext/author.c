/*
 * author.c - who this session is, as events tell it.
 *
 * Asked for at each commit that concerns a request, so it is kept: until the
 * session introduces itself anew or changes its application_name.
 */
#include "request.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(paos_author_changed);

static char *author = NULL;
static char *author_application = NULL;
static bool introduced = false; /* perhaps in a transaction that was rolled back */

static void Forget(void)
{
    if (author != NULL)
        pfree(author);
    if (author_application != NULL)
        pfree(author_application);
    author = NULL;
    author_application = NULL;
}

const char *PaosAuthorText(void)
{
    char *text;

    if (PaosExtensionGone())
        return author == NULL ? "null" : author;
    if (author != NULL && strcmp(author_application, application_name) == 0)
        return author;
    Forget();
    SPI_connect();
    if (SPI_execute("SELECT pg_catalog.row_to_json(a) FROM"
                    " (SELECT s.host, s.pid, s.uid, s.application AS app FROM paos.authors() s"
                    " WHERE s.backend OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()) a",
                    true, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not read the author of this session");
    text =
        SPI_processed == 0 ? NULL : SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    author_application = MemoryContextStrdup(TopMemoryContext, application_name);
    author = MemoryContextStrdup(TopMemoryContext, text == NULL ? "null" : text);
    SPI_finish();
    return author;
}

/* Called by paos.introduce. */
Datum paos_author_changed(PG_FUNCTION_ARGS)
{
    Forget();
    introduced = true;
    PG_RETURN_VOID();
}

void PaosAuthorDiscard(void)
{
    /* Who may not write now keeps the name: better than to refuse what the session asked for. */
    if (!introduced || XactReadOnly || !PaosVersionFits())
        return;
    SPI_connect();
    if (SPI_execute("SELECT paos.introduce(NULL, NULL, NULL, NULL)", false, 0) != SPI_OK_SELECT)
        elog(ERROR, "could not forget the author of this session");
    SPI_finish();
    introduced = false;
}
