/*
 * role.c - being another role for a while.
 *
 * What a request asks is worked out by whoever writes, with the eyes of who asks, and may
 * run code of users: functions of policies, of casts, of domains.  Neither may gain by
 * the other.  So that code cannot become the writer again, nor leave settings or
 * work behind; and what it names without a schema is looked for in pg_catalog
 * alone, for the writer's search_path may lead anywhere.  An error undoes it all with
 * its subtransaction.
 */
#include "paos.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/guc.h"

PaosRole PaosRoleBecome(Oid role)
{
    PaosRole saved = {.settings = NewGUCNestLevel()};

    (void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                             GUC_ACTION_SAVE, true, 0, false);
    GetUserIdAndSecContext(&saved.user, &saved.context);
    SetUserIdAndSecContext(role, saved.context | SECURITY_LOCAL_USERID_CHANGE |
                                     SECURITY_RESTRICTED_OPERATION);
    return saved;
}

void PaosRoleReturn(const PaosRole *saved)
{
    SetUserIdAndSecContext(saved->user, saved->context);
    AtEOXact_GUC(false, saved->settings);
}

static bool IsOfUsers(Oid function, void *context)
{
    return function >= FirstNormalObjectId;
}

bool PaosRunsUserCode(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, CoerceToDomain) || check_functions_in_node(node, IsOfUsers, NULL))
        return true;
    return expression_tree_walker(node, PaosRunsUserCode, context);
}
