#!/usr/bin/python3
"""notify.py - notify.c in Python: any driver that can LISTEN can have requests.

usage: notify.py [EVENTS]     PAOS_CONNINFO, or PGHOST and so on, says where
"""
import json
import os
import select
import sys

import psycopg2

QUERY = 'name == "Sue"'

conn = psycopg2.connect(os.environ.get("PAOS_CONNINFO", ""))
conn.autocommit = True  # a session hears of events between its transactions only
sql = conn.cursor()
sql.execute("SELECT paos.subscribe('story.person', %s)", (QUERY,))
sql.execute("SELECT paos.ready(%s)", sql.fetchone())  # from here on there is no gap
sql.execute("SELECT count(*) FROM story.person p WHERE p OPERATOR(paos.@@) %s", (QUERY,))
print("Python: %d persons with %s now; waiting for commits" % (sql.fetchone()[0], QUERY), flush=True)

left = int(sys.argv[1]) if len(sys.argv) > 1 else -1
while left != 0:
    select.select([conn], [], [])
    conn.poll()
    while conn.notifies and left != 0:
        event = json.loads(conn.notifies.pop(0).payload)
        left -= 1
        if event.get("resync"):
            print("Python: look again", flush=True)
            continue
        print("Python: {app} committed (host {host}, pid {pid}, uid {uid})".format(**event["author"]))
        for ref in event["enter"] + event["change"]:
            sql.execute("SELECT paos.fetch(%s)", (ref,))
            print("Python:    entered or changed", ref, sql.fetchone()[0], flush=True)
        for ref in event["leave"]:
            print("Python:    left", ref, flush=True)
