/*
 * mail.c - the last step of an event: from the ring to the session that asked.
 *
 * NOTIFY wakes every session of the database that listens to anything, so its
 * cost grows with listeners that nothing concerns.  Here each session that has
 * subscribed has a mailbox; whoever posts a letter signals that session alone, as
 * NOTIFY would.  PostgreSQL answers the signal, when the session is idle, with an
 * empty transaction in which to read the queue of notifications; before its commit
 * we send what is in the mailbox the same way.  A driver sees no difference.
 */
#include "end.h"
#include "request.h"

#include "commands/async.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/backendid.h"
#include "storage/procsignal.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

/* How often a session under load waits for more letters. */
#define ROUNDS 20

typedef struct Mailbox
{
    uint8 channel[PAOS_CHANNEL_BYTES]; /* hash key */
    int pid;
    BackendId backend;
    dsa_pointer first;
    dsa_pointer last;
    uint32 n;
    bool woken;  /* signalled, and not emptied since */
    bool marked; /* some of the session's requests are, see PaosRequestMark */
} Mailbox;

/* A letter out of a mailbox that is no more. */
typedef struct Rescued
{
    int32 sender;
    char text[FLEXIBLE_ARRAY_MEMBER];
} Rescued;

int paos_mailbox_size = 100000;

static dshash_table *mailboxes = NULL;
static dsa_area *mail_area; /* that they are in */

/* This session's, which entries of a hash table that is resized stay where they are. */
static Mailbox *own = NULL;
static dsa_pointer taken = InvalidDsaPointer; /* letters out of it, to be sent */
static List *rescued = NIL;                   /* of Rescued, in TopMemoryContext */
static uint8 channel[PAOS_CHANNEL_BYTES];
static bool several = false; /* sessions' letters were among those last sent */
static bool opening = false; /* the present transaction has begun to listen */

static dshash_parameters Parameters(const PaosShared *shared)
{
    dshash_parameters parameters = {PAOS_CHANNEL_BYTES, sizeof(Mailbox), dshash_memcmp,
                                    dshash_memhash, shared->tranche};

    return parameters;
}

void PaosMailInit(PaosShared *shared, dsa_area *area)
{
    dshash_parameters parameters = Parameters(shared);
    dshash_table *table = dshash_create(area, &parameters, NULL);

    shared->mailboxes = dshash_get_hash_table_handle(table);
    shared->mailbox_size = paos_mailbox_size;
    dshash_detach(table);
}

static dshash_table *Mailboxes(PaosShared *shared)
{
    dshash_parameters parameters = Parameters(shared);
    MemoryContext previous;

    if (mailboxes != NULL && mail_area == PaosSharedArea())
        return mailboxes;
    previous = MemoryContextSwitchTo(TopMemoryContext);
    mail_area = PaosSharedArea();
    mailboxes = dshash_attach(mail_area, &parameters, shared->mailboxes, NULL);
    own = NULL;
    taken = InvalidDsaPointer;
    MemoryContextSwitchTo(previous);
    return mailboxes;
}

/* ---- posting ---- */

static void FreeLetters(dsa_pointer *first)
{
    while (DsaPointerIsValid(*first))
    {
        dsa_pointer next = ((PaosLetter *) dsa_get_address(mail_area, *first))->next;

        dsa_free(mail_area, *first);
        *first = next;
    }
}

/* A session is signalled once, however many letters it then finds.  The mailbox is let go of. */
static void Wake(Mailbox *mailbox)
{
    bool asleep = !mailbox->woken;
    int pid = mailbox->pid;
    BackendId backend = mailbox->backend;

    mailbox->woken = true;
    dshash_release_lock(mailboxes, mailbox);
    if (asleep && pid == MyProcPid)
        notifyInterruptPending = true;
    else if (asleep)
        SendProcSignal(pid, PROCSIG_NOTIFY_INTERRUPT, backend);
}

void PaosMailMark(PaosShared *shared, const uint8 *to)
{
    Mailbox *mailbox = dshash_find(Mailboxes(shared), to, true);

    if (mailbox == NULL)
        return;
    mailbox->marked = true;
    Wake(mailbox);
}

/* Has the session tell its request to look again. */
static void Lose(PaosShared *shared, int64 request, const uint8 *to)
{
    PaosRequestMark(shared, request);
    PaosMailMark(shared, to);
}

void PaosMailPost(PaosShared *shared, dsa_pointer pointer)
{
    PaosLetter *letter = dsa_get_address(PaosSharedArea(), pointer);
    Mailbox *mailbox = dshash_find(Mailboxes(shared), letter->channel, true);
    int64 request;

    if (mailbox == NULL || mailbox->n >= shared->mailbox_size)
    {
        if (mailbox != NULL)
            dshash_release_lock(mailboxes, mailbox);
        Lose(shared, letter->request, letter->channel);
        dsa_free(mail_area, pointer);
        return;
    }
    letter->next = InvalidDsaPointer;
    if (mailbox->n++ == 0)
        mailbox->first = pointer;
    else
        ((PaosLetter *) dsa_get_address(mail_area, mailbox->last))->next = pointer;
    mailbox->last = pointer;
    request = letter->request;
    Wake(mailbox);
    PaosRequestCount(shared, request, false);
}

/* Told of the mailbox of each session; must not come back here. */
void PaosMailLook(PaosShared *shared, void (*look)(int backend, uint32 letters, void *arg),
                  void *arg)
{
    dshash_seq_status scan;
    Mailbox *mailbox;

    dshash_seq_init(&scan, Mailboxes(shared), false);
    while ((mailbox = dshash_seq_next(&scan)) != NULL)
        look(mailbox->pid, mailbox->n, arg);
    dshash_seq_term(&scan);
}

/* ---- receiving ---- */

/* To the client of this session. */
static void Send(const char *payload, int sender)
{
    char name[PAOS_CHANNEL_TEXT];

    PaosChannelName(channel, name);
    NotifyMyFrontEnd(name, payload, sender);
}

/* Has the client asked not to be told, by UNLISTEN or DISCARD?  Only this function knows. */
static bool IsListening(void)
{
    LOCAL_FCINFO(fcinfo, 0);
    ReturnSetInfo result = {.type = T_ReturnSetInfo, .allowedModes = SFRM_ValuePerCall};
    FmgrInfo function;
    char name[PAOS_CHANNEL_TEXT];
    bool found = false;

    PaosChannelName(channel, name);
    fmgr_info(F_PG_LISTENING_CHANNELS, &function);
    result.econtext = CreateStandaloneExprContext();
    InitFunctionCallInfoData(*fcinfo, &function, 0, InvalidOid, NULL, (Node *) &result);
    while (!found)
    {
        Datum next = FunctionCallInvoke(fcinfo);

        if (result.isDone == ExprEndResult)
            break;
        found = strcmp(TextDatumGetCString(next), name) == 0;
    }
    FreeExprContext(result.econtext, true);
    return found;
}

/* Sends each letter once, even when the client is gone in the middle of it. */
static void SendTaken(void)
{
    int32 sender = 0;

    several = false;
    while (DsaPointerIsValid(taken))
    {
        dsa_pointer pointer = taken;
        PaosLetter *letter = dsa_get_address(mail_area, pointer);

        several = several || (sender != 0 && letter->sender != sender);
        sender = letter->sender;
        taken = letter->next;
        Send(letter->text, letter->sender);
        dsa_free(mail_area, pointer);
    }
}

static void SendRescued(void)
{
    while (rescued != NIL)
    {
        Rescued *letter = linitial(rescued);

        rescued = list_delete_first(rescued);
        Send(letter->text, letter->sender);
        pfree(letter);
    }
}

/* Takes all letters from `first` on out of shared memory. */
static void Rescue(dsa_pointer *first)
{
    MemoryContext previous = MemoryContextSwitchTo(TopMemoryContext);

    while (DsaPointerIsValid(*first))
    {
        const PaosLetter *letter = dsa_get_address(mail_area, *first);
        Size size = strlen(letter->text) + 1;
        Rescued *copy = palloc(offsetof(Rescued, text) + size);
        dsa_pointer next = letter->next;

        copy->sender = letter->sender;
        memcpy(copy->text, letter->text, size);
        rescued = lappend(rescued, copy);
        dsa_free(mail_area, *first);
        *first = next;
    }
    MemoryContextSwitchTo(previous);
}

static bool HasMail(void)
{
    return own != NULL && (own->n > 0 || own->marked || own->woken) &&
           mail_area == PaosSharedArea() && PaosSharedAttached() != NULL;
}

/* Are some of the session's requests marked?  Whoever marks more will say so again. */
static bool TakeMark(void)
{
    Mailbox *mailbox = dshash_find(mailboxes, channel, true);
    bool marked = mailbox->marked;

    mailbox->marked = false;
    dshash_release_lock(mailboxes, mailbox);
    return marked;
}

/* Sends all that is in the mailbox; when `awake`, more will be looked for without a signal. */
static void SendMail(PaosShared *shared, bool awake)
{
    bool listening = IsListening();
    List *marked = NIL;
    Mailbox *mailbox;
    ListCell *cell;

    /* Before the letters: what is lost from here on is told after those that came before it. */
    if (listening && TakeMark())
        marked = PaosRequestTakeMarked(shared);
    mailbox = dshash_find(mailboxes, channel, true);
    taken = mailbox->n > 0 ? mailbox->first : InvalidDsaPointer;
    mailbox->n = 0;
    mailbox->woken = awake;
    if (listening && mailbox->marked)
        notifyInterruptPending = true;
    mailbox->marked = listening && mailbox->marked;
    dshash_release_lock(mailboxes, mailbox);
    if (DsaPointerIsValid(taken) || marked != NIL)
        PaosStatAdd(shared, PAOS_STAT_BATCHES, 1);
    if (!listening)
    {
        FreeLetters(&taken);
        return;
    }
    SendTaken();
    foreach (cell, marked)
        Send(lfirst(cell), MyProcPid);
}

/*
 * Under load a session stays awake and sends every moment what has come: to be woken, and
 * to wake the client, costs more than an event does.  Where one session commits at a time
 * its commits are told at once.  Not for ever: the process may have other things to do.
 */
static void SendOften(PaosShared *shared)
{
    bool silent = PaosFrontendSilent();
    int round;

    for (round = 0; silent && several && round < ROUNDS; round++)
    {
        silent = PaosFrontendPause();
        SendMail(shared, true);
        PaosFrontendFlush();
    }
}

/*
 * Before the commit of the empty transaction, or of any other that finds letters
 * and has no signal on its way.
 */
static void EmptyMailbox(void)
{
    PaosShared *shared = PaosSharedAttached();

    if (notifyInterruptPending || opening)
        return;
    if (rescued != NIL && IsListening())
        SendRescued();
    if (!HasMail())
        return;
    if (DsaPointerIsValid(taken))
        SendTaken();
    SendOften(shared);
    SendMail(shared, false);
}

static bool IsOver(void)
{
    PaosShared *shared = PaosSharedAttached();

    return shared != NULL && !opening && pg_atomic_read_u32(&shared->over) != 0;
}

/*
 * LISTEN works from its commit on: what has come before is sent right after.  The
 * transaction that was to empty the mailbox may be the one that is rolled back, by
 * a cancel request say, and nobody signals a session twice; but one that fails a
 * second time would do so for ever.
 */
static bool failed = false;

static void BeforeCommit(void)
{
    EmptyMailbox();
    failed = false;
    if (IsOver())
        PaosSharedLeave();
}

static void Commit(void)
{
    if (opening && (HasMail() || DsaPointerIsValid(taken)))
        notifyInterruptPending = true;
    opening = false;
}

static void Abort(void)
{
    bool mail = HasMail() || DsaPointerIsValid(taken);

    opening = false;
    if (mail && !failed)
        notifyInterruptPending = true;
    failed = mail;
}

/* ---- this session's mailbox ---- */

static void Close(int code, Datum arg)
{
    Mailbox *mailbox;

    if (own == NULL)
        return;
    own = NULL;
    FreeLetters(&taken);
    mailbox = dshash_find(mailboxes, channel, true);
    if (mailbox->n > 0)
        FreeLetters(&mailbox->first);
    dshash_delete_entry(mailboxes, mailbox);
}

void PaosMailRescue(void)
{
    dsa_pointer first = InvalidDsaPointer;
    Mailbox *mailbox;

    if (own == NULL)
        return;
    own = NULL;
    Rescue(&taken);
    mailbox = dshash_find(mailboxes, channel, true);
    if (mailbox->n > 0)
        first = mailbox->first;
    dshash_delete_entry(mailboxes, mailbox);
    Rescue(&first);
    if (rescued != NIL)
        notifyInterruptPending = true;
}

static PaosEnds ends = {
    .before_commit = BeforeCommit, .commit = Commit, .abort = Abort, .session = Close};

const uint8 *PaosChannelOwn(void)
{
    static bool made = false;

    if (!made && !pg_strong_random(channel, sizeof(channel)))
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bits"));
    made = true;
    return channel;
}

void PaosChannelListen(PaosShared *shared)
{
    char name[PAOS_CHANNEL_TEXT];
    bool found;

    PaosEndsRegister(&ends);
    PaosChannelOwn();
    Mailboxes(shared);
    if (own == NULL)
    {
        own = dshash_find_or_insert(mailboxes, channel, &found);
        memset((char *) own + PAOS_CHANNEL_BYTES, 0, sizeof(Mailbox) - PAOS_CHANNEL_BYTES);
        own->pid = MyProcPid;
        own->backend = MyBackendId;
        dshash_release_lock(mailboxes, own);
    }
    opening = true;
    PaosChannelName(channel, name);
    Async_Listen(name);
}
