/*
 * author.c - who this session is, as events tell it.
 *
 * Asked for at each commit that concerns a request, so it is kept: until the
 * session introduces itself anew or changes its application_name.
 */
#include "request.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(paos_author_changed);

static char *author = NULL;
static char *author_application = NULL;

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
    if (SPI_execute("SELECT paos.author()::pg_catalog.text", true, 1) != SPI_OK_SELECT ||
        SPI_processed != 1)
        elog(ERROR, "could not read the author of this session");
    text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    author_application = MemoryContextStrdup(TopMemoryContext, application_name);
    author = MemoryContextStrdup(TopMemoryContext, text == NULL ? "null" : text);
    SPI_finish();
    return author;
}

/* Called by paos.introduce. */
Datum paos_author_changed(PG_FUNCTION_ARGS)
{
    Forget();
    PG_RETURN_VOID();
}
