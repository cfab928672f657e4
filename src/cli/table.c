/*
 * table.c - an aligned table, as psql prints one.
 *
 * Widths are known when all cells are, so that nothing is printed before.
 */
#include "cli.h"

#include <limits.h>
#include <stdlib.h>

#define CELL_WIDTH 60

typedef struct column
{
    char *title;
    bool right;
    int width;
} column;

struct table
{
    column *columns;
    int width; /* columns */
    int limit; /* of a cell's width */
    char **cells;
    size_t count, room;
};

/* The columns of the terminal that one value may take; elsewhere it may take all it needs. */
static int width_limit(void)
{
    return output_is_terminal() ? CELL_WIDTH : INT_MAX;
}

static int least_of(int a, int b)
{
    return a < b ? a : b;
}

table *table_new(int columns)
{
    table *table = memory_grow(NULL, sizeof *table);
    column empty = {0};

    *table = (struct table){.width = columns, .limit = width_limit()};
    table->columns = memory_grow(NULL, (size_t) columns * sizeof *table->columns);
    for (int i = 0; i < columns; i++)
        table->columns[i] = empty;
    return table;
}

static void widen(const table *table, size_t at, const char *text)
{
    column *column = &table->columns[at];
    int width = least_of(text_width(text), table->limit);

    if (width > column->width)
        column->width = width;
}

void table_title(table *table, int column, const char *title, bool right)
{
    table->columns[column].title = memory_copy(title);
    table->columns[column].right = right;
    widen(table, (size_t) column, title);
}

void table_cell(table *table, const char *text)
{
    if (table->count == table->room)
    {
        table->room = table->room ? 2 * table->room : 64;
        table->cells = memory_grow(table->cells, table->room * sizeof *table->cells);
    }
    widen(table, table->count % (size_t) table->width, text ? text : "");
    table->cells[table->count++] = memory_copy(text ? text : "");
}

/* Without blanks at the end of a line, which nobody wants to copy. */
static void put_cell(const table *table, size_t at, const char *text)
{
    const column *column = &table->columns[at];
    bool last = at + 1 == (size_t) table->width;
    int blanks = column->width - least_of(text_width(text), table->limit);

    if (last && !*text)
        return;
    printf(" %*s", column->right ? blanks : 0, "");
    text_put_short(stdout, text, table->limit);
    if (!last)
        printf("%*s |", column->right ? 0 : blanks, "");
}

static void put_line(const table *table)
{
    for (int i = 0; i < table->width; i++)
    {
        if (i > 0)
            putchar('+');
        for (int j = 0; j < table->columns[i].width + 2; j++)
            putchar('-');
    }
    putchar('\n');
}

void table_print(const table *table)
{
    printf("%s", colour_on(COLOUR_TITLE));
    for (int i = 0; i < table->width; i++)
        put_cell(table, (size_t) i, table->columns[i].title);
    printf("%s\n", colour_off());
    put_line(table);
    for (size_t i = 0; i < table->count; i++)
    {
        size_t at = i % (size_t) table->width;

        put_cell(table, at, table->cells[i]);
        if (at + 1 == (size_t) table->width)
            putchar('\n');
    }
}

void table_free(table *table)
{
    for (int i = 0; i < table->width; i++)
        free(table->columns[i].title);
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->columns);
    free(table->cells);
    free(table);
}
