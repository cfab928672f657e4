/*
 * load.c - writers: connections that commit one row after the other, each in a
 * thread of its own.
 *
 * A row's key tells when its commit was sent, so that whoever is told of the row
 * knows how long that took.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct writer
{
    struct load *load;
    PGconn *pq;
    pthread_t thread;
    uint64_t random;
    size_t number;
    size_t commits;
} writer;

struct load
{
    load_plan plan;
    double started;
    atomic_size_t last_id;
    double *sent; /* by id */
    writer writers[LOAD_WRITERS_MAX];
};

load *load_open(const bench *bench)
{
    load *load = calloc(1, sizeof *load);
    char name[32], sql[256];

    if (!load || !(load->sent = calloc(LOAD_IDS_MAX, sizeof *load->sent)))
        die("out of memory");
    for (size_t i = 0; i < LOAD_WRITERS_MAX; i++)
    {
        writer *writer = &load->writers[i];

        writer->load = load;
        writer->number = i;
        writer->random = i + 1;
        writer->pq = connect_to(bench->conninfo);
        for (int table = 0; table < ITEM_TABLES; table++)
        {
            snprintf(name, sizeof name, "insert_%s", item_tables[table]);
            snprintf(sql, sizeof sql,
                     "INSERT INTO bench.%s (id, kind, size, weight, name)"
                     " VALUES ($1, $2, $3, 0, $4)",
                     item_tables[table]);
            prepare(writer->pq, name, sql);
        }
    }
    return load;
}

void load_close(load *load)
{
    for (size_t i = 0; i < LOAD_WRITERS_MAX; i++)
        PQfinish(load->writers[i].pq);
    free(load->sent);
    free(load);
}

double load_sent(const load *load, size_t id)
{
    return id < LOAD_IDS_MAX ? load->sent[id] : 0;
}

/* Any even number below two million. */
static uint32_t draw(writer *writer)
{
    writer->random = writer->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t) (writer->random >> 33) % 1000000 * 2;
}

static void sleep_until(double time)
{
    struct timespec wake = {.tv_sec = (time_t) time,
                            .tv_nsec = (long) ((time - (double) (time_t) time) * 1e9)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
}

static void commit_one(writer *writer, const char *statement)
{
    load *load = writer->load;
    char texts[4][32];
    const char *values[] = {texts[0], texts[1], texts[2], texts[3]};
    size_t id = atomic_fetch_add(&load->last_id, 1) + 1;

    if (id >= LOAD_IDS_MAX)
        die("too many rows");
    snprintf(texts[0], sizeof texts[0], "%zu", id);
    snprintf(texts[1], sizeof texts[1], "%d", load->plan.matching ? -1 : (int) draw(writer));
    snprintf(texts[2], sizeof texts[2], "%u", draw(writer));
    snprintf(texts[3], sizeof texts[3], "item %u", draw(writer));
    load->sent[id] = now();
    PQclear(expect(writer->pq, PQexecPrepared(writer->pq, statement, 4, values, NULL, NULL, 0),
                   PGRES_COMMAND_OK));
    writer->commits++;
}

static void *write_rows(void *any)
{
    writer *writer = any;
    const load_plan *plan = &writer->load->plan;
    double end = writer->load->started + plan->seconds;
    double pause = plan->rate > 0 ? (double) plan->writers / plan->rate : 0;
    double next = writer->load->started + pause * (double) writer->number / (double) plan->writers;
    char statement[32];

    snprintf(statement, sizeof statement, "insert_%s", plan->table);
    writer->commits = 0;
    while (now() < end)
    {
        if (pause > 0)
            sleep_until(next);
        next += pause;
        commit_one(writer, statement);
    }
    return NULL;
}

load_result load_run(load *load, const load_plan *plan)
{
    load_result result = {0};

    load->plan = *plan;
    result.first_id = atomic_load(&load->last_id) + 1;
    load->started = now();
    for (size_t i = 0; i < plan->writers; i++)
        if (pthread_create(&load->writers[i].thread, NULL, write_rows, &load->writers[i]) != 0)
            die("no thread for a writer");
    for (size_t i = 0; i < plan->writers; i++)
    {
        pthread_join(load->writers[i].thread, NULL);
        result.commits += load->writers[i].commits;
    }
    result.seconds = now() - load->started;
    return result;
}
