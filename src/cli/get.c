/*
 * get.c - `paos get`: the objects that satisfy a query.
 */
#include "cli.h"

static bool show(const question *question, const paos_list *answer)
{
    if (!question->options->json)
        return answer_table(question, answer);
    for (size_t i = 0; i < paos_list_size(answer) && output_flush(); i++)
        json_line(object_json(question, paos_list_at(answer, i)));
    return true;
}

int get_run(const options *options)
{
    question question;
    paos_list *answer = NULL;
    int status = STATUS_DONE;

    if (!question_open(options, &question))
        return STATUS_FAILED;
    if (paos_get(question.conn, PAOS_READ, options->args[0], question.query, question.args,
                 question.nargs, &answer) != PAOS_OK ||
        !show(&question, answer))
        status = question_fail(&question);
    paos_list_free(answer);
    question_close(&question);
    return status;
}
