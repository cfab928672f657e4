/*
 * sheet.c - tables beside that of the case, kept until it is complete.
 *
 * A column is as wide as its widest cell, so that a sheet can be read as it is, too.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHEETS_MAX 4
#define ROWS_MAX 200
#define COLUMNS_MAX 10

typedef struct sheet
{
    const char *title;
    char *cells[ROWS_MAX][COLUMNS_MAX]; /* the first row is the heads */
    int rows, columns, widths[COLUMNS_MAX];
} sheet;

static sheet sheets[SHEETS_MAX];
static int sheets_size;

void sheet_row(const char *const *cells)
{
    sheet *sheet = &sheets[sheets_size - 1];

    if (sheet->rows == ROWS_MAX)
        die("too many rows in \"%s\"", sheet->title);
    for (int i = 0; i < sheet->columns; i++)
    {
        char *cell = strdup(cells[i]);

        if (!cell)
            die("out of memory");
        if ((int) strlen(cell) > sheet->widths[i])
            sheet->widths[i] = (int) strlen(cell);
        sheet->cells[sheet->rows][i] = cell;
    }
    sheet->rows++;
}

void sheet_begin(const char *title, const char *const *heads)
{
    sheet *sheet;

    if (sheets_size == SHEETS_MAX)
        die("too many sheets");
    sheet = &sheets[sheets_size++];
    memset(sheet, 0, sizeof *sheet);
    sheet->title = title;
    while (heads[sheet->columns])
        sheet->columns++;
    if (sheet->columns > COLUMNS_MAX)
        die("too many columns in \"%s\"", title);
    sheet_row(heads);
}

static void print_row(const sheet *sheet, int row)
{
    for (int i = 0; i < sheet->columns; i++)
        printf("| %-*s ", sheet->widths[i], sheet->cells[row][i]);
    printf("|\n");
}

static void print_line(const sheet *sheet)
{
    for (int i = 0; i < sheet->columns; i++)
    {
        printf("|");
        for (int k = 0; k < sheet->widths[i] + 2; k++)
            printf("-");
    }
    printf("|\n");
}

void sheets_end(void)
{
    for (int i = 0; i < sheets_size; i++)
    {
        printf("\n### %s\n\n", sheets[i].title);
        print_row(&sheets[i], 0);
        print_line(&sheets[i]);
        for (int row = 1; row < sheets[i].rows; row++)
            print_row(&sheets[i], row);
        for (int row = 0; row < sheets[i].rows; row++)
            for (int k = 0; k < sheets[i].columns; k++)
                free(sheets[i].cells[row][k]);
    }
    sheets_size = 0;
}
