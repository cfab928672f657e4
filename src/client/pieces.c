/*
 * pieces.c - memory for what stays until the connection is closed, out of large pieces.
 *
 * A walk over cached objects waits for memory, and waits longer when they lie here and
 * there in the holes of the program's heap.  Nothing is given back before all is.
 */
#include "paos_int.h"

struct paosi_piece
{
    paosi_piece *before;
    char fill[PAOSI_LINE - sizeof(paosi_piece *)]; /* what is taken begins with a line */
};

static bool add_piece(paosi_pieces *pieces, size_t size)
{
    paosi_piece *piece = paosi_calloc_lines(sizeof *piece + size);

    if (!piece)
        return false;
    piece->before = pieces->last;
    pieces->last = piece;
    pieces->next = (char *) (piece + 1);
    pieces->left = size;
    return true;
}

void *paosi_pieces_take(paosi_pieces *pieces, size_t size, size_t more)
{
    char *memory;

    if (pieces->left < size && !add_piece(pieces, more) && !add_piece(pieces, size))
        return NULL;
    memory = pieces->next;
    pieces->next += size;
    pieces->left -= size;
    return memory;
}

void paosi_pieces_free(paosi_pieces *pieces)
{
    paosi_piece *piece = pieces->last;

    while (piece)
    {
        paosi_piece *before = piece->before;

        paosi_free(piece);
        piece = before;
    }
    *pieces = (paosi_pieces){0};
}
