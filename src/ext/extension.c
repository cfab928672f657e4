/*
 * extension.c - the end of the extension in a database, while sessions have requests.
 *
 * Its event triggers are gone with it before any of them could be told of the drop,
 * so what may lead to it is noted beforehand, and looked at before the commit: is
 * the extension another, or none at all?  Then all requests end.  Nothing of it can
 * be asked any more by that time, so what the last events say is known by then.
 */
#include "request.h"

#include "access/xact.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"

PG_FUNCTION_INFO_V1(paos_extension_dropping);

static Oid noted = InvalidOid; /* the extension before the present transaction dropped something */
static bool ending = false;    /* it drops it, with requests */

/* Event trigger before DROP EXTENSION and DROP OWNED. */
Datum paos_extension_dropping(PG_FUNCTION_ARGS)
{
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.extension_dropping must be called as an event trigger"));
    if (OidIsValid(noted) || !PaosVersionFits() || PaosSharedGet(false) == NULL)
        PG_RETURN_NULL();
    (void) PaosAuthorText();
    noted = get_extension_oid("paos", false);
    PG_RETURN_NULL();
}

bool PaosExtensionGone(void)
{
    return OidIsValid(noted) && get_extension_oid("paos", true) != noted;
}

/* Ends a request; who is told of it is told of that. */
static void End(PaosShared *shared, int64 id)
{
    PaosRequest request;

    if (!PaosRequestGet(shared, id, &request, NULL))
        return;
    if (request.backend != 0)
        PaosEventTell(&request, PaosEndedPayload(id, ERRCODE_UNDEFINED_OBJECT,
                                                 "extension \"paos\" was dropped"));
    PaosRequestEnd(id);
}

void PaosExtensionEnd(bool prepare)
{
    PaosShared *shared = PaosSharedAttached();
    ListCell *cell;

    if (prepare)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot PREPARE a transaction that has dropped extension \"paos\""));
    ending = true;
    foreach (cell, PaosRequestIds(shared, NIL))
        End(shared, *(int64 *) lfirst(cell));
}

/* After the commit, before anybody is told, or when there is none. */
void PaosExtensionForget(bool committed)
{
    if (ending && committed)
    {
        PaosShared *shared = PaosSharedAttached();

        pg_atomic_write_u32(&shared->over, 1);
        PaosAreaForget(PaosSharedArea(), pg_atomic_read_u64(&shared->last_request));
    }
    noted = InvalidOid;
    ending = false;
}
