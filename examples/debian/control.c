/*
 * control.c - reads Debian's package database: /var/lib/dpkg/status and the lists
 * of apt.
 *
 * apt keeps its lists compressed in one way or another; its own helper reads all
 * of them.  A field may go on over several lines, each beginning with a space.
 */
#include "debian.h"

#include <glob.h>
#include <locale.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_FILE "/var/lib/dpkg/status"
#define LISTS "/var/lib/apt/lists/*_Packages*"
#define APT_HELPER "/usr/lib/apt/apt-helper"

static const char *const field_names[FIELDS] = {
    [NAME] = "Package",
    [VERSION] = "Version",
    [SECTION] = "Section",
    [MAINTAINER] = "Maintainer",
    [SUMMARY] = "Description",
    [SIZE] = "Installed-Size",
    [PRE_DEPENDS] = "Pre-Depends",
    [DEPENDS] = "Depends",
    [STATUS] = "Status",
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const package *) a)->fields[NAME], ((const package *) b)->fields[NAME]);
}

package *archive_find(const archive *archive, const char *name)
{
    package key = {.fields[NAME] = (char *) name};
    package **found = tfind(&key, &archive->by_name, compare_names);

    return found ? *found : NULL;
}

static void package_free(package *package)
{
    for (int i = 0; i < FIELDS; i++)
        free(package->fields[i]);
    free(package);
}

/* All text must be UTF-8; a foreign archive may have something else. */
static char *clean_copy(const char *text)
{
    char *copy = strcpy(grow(NULL, strlen(text) + 1), text);

    if (mbstowcs(NULL, copy, 0) != (size_t) -1)
        return copy;
    for (char *c = copy; *c; c++)
        if (*c & 0x80)
            *c = '?';
    return copy;
}

static void append(char **field, const char *text)
{
    size_t size = *field ? strlen(*field) : 0;
    char *copy = clean_copy(text);

    *field = grow(*field, size + strlen(copy) + 1);
    strcpy(*field + size, copy);
    free(copy);
}

/* Returns the field that the line begins or continues, or FIELDS for one of no interest. */
static field take_line(package *package, char *line, field last)
{
    char *value;

    line[strcspn(line, "\n")] = '\0';
    if (*line == ' ' || *line == '\t')
    {
        if (last == DEPENDS || last == PRE_DEPENDS)
            append(&package->fields[last], line);
        return last;
    }
    value = strchr(line, ':');
    if (!value)
        return FIELDS;
    *value++ = '\0';
    value += strspn(value, " \t");
    for (field i = 0; i < FIELDS; i++)
    {
        if (strcmp(line, field_names[i]) != 0 || package->fields[i])
            continue;
        append(&package->fields[i], value);
        return i;
    }
    return FIELDS;
}

/* Takes over the package, or frees what is not installed, not whole or there already. */
static void archive_add(archive *archive, package *package)
{
    const char *status = package->fields[STATUS];

    if (!package->fields[NAME] || !package->fields[VERSION] ||
        (status && !strstr(status, " installed")) || archive_find(archive, package->fields[NAME]))
    {
        package_free(package);
        return;
    }
    if (archive->size == archive->capacity)
    {
        archive->capacity = archive->capacity ? archive->capacity * 2 : 1024;
        archive->packages = grow(archive->packages, archive->capacity * sizeof package);
    }
    archive->packages[archive->size++] = package;
    if (!tsearch(package, &archive->by_name, compare_names))
        grow(NULL, SIZE_MAX);
}

static void read_stream(archive *archive, FILE *stream)
{
    package *package = NULL;
    field last = FIELDS;
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stream) > 0)
    {
        if (*line != '\n')
        {
            if (!package)
                package = memset(grow(NULL, sizeof *package), 0, sizeof *package);
            last = take_line(package, line, last);
            continue;
        }
        if (package)
            archive_add(archive, package);
        package = NULL;
        last = FIELDS;
    }
    if (package)
        archive_add(archive, package);
    free(line);
}

static FILE *open_list(const char *path)
{
    char command[4096];

    if (strchr(path, '\'') ||
        (size_t) snprintf(command, sizeof command, APT_HELPER " cat-file '%s' 2>/dev/null", path) >=
            sizeof command)
        return NULL;
    return popen(command, "r");
}

void archive_read(archive *archive)
{
    FILE *stream = fopen(STATUS_FILE, "r");
    glob_t lists;

    setlocale(LC_CTYPE, "C.UTF-8");
    if (stream)
    {
        read_stream(archive, stream);
        fclose(stream);
        archive->files++;
    }
    if (glob(LISTS, 0, NULL, &lists) != 0)
        return;
    for (size_t i = 0; i < lists.gl_pathc; i++)
    {
        size_t before = archive->size;

        stream = open_list(lists.gl_pathv[i]);
        if (!stream)
            continue;
        read_stream(archive, stream);
        pclose(stream);
        archive->files += archive->size > before;
    }
    globfree(&lists);
}

static void keep(void *node)
{
    (void) node;
}

void archive_free(archive *archive)
{
    tdestroy(archive->by_name, keep);
    for (size_t i = 0; i < archive->size; i++)
        package_free(archive->packages[i]);
    free(archive->packages);
}
