/*
 * query_filter.c - an expression on one row, compiled and asked many times.
 *
 * Works outside any plan: it brings its own expression context.  What an
 * answer needs is freed before the next.
 */
#include "paos.h"

#include "executor/executor.h"
#include "optimizer/optimizer.h"

PaosFilter *PaosFilterMake(Expr *condition, TupleDesc desc, const TupleTableSlotOps *ops)
{
    PaosFilter *filter = palloc(sizeof(PaosFilter));
    Expr *planned = expression_planner(condition);

    convert_saop_to_hashed_saop((Node *) planned);
    filter->econtext = CreateStandaloneExprContext();
    filter->slot = MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(desc), ops);
    filter->econtext->ecxt_scantuple = filter->slot;
    filter->state = ExecInitExpr(planned, NULL);
    return filter;
}

bool PaosFilterMatches(PaosFilter *filter, bool *isnull)
{
    ResetExprContext(filter->econtext);
    return DatumGetBool(ExecEvalExprSwitchContext(filter->state, filter->econtext, isnull));
}
