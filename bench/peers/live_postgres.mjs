// Changes of a table by the npm package postgres, which reads them from the server's
// logical replication; told to bench/run.
//
// usage: live_postgres.mjs, with $PAOS_CONNINFO of a server with wal_level = logical
//
// "when ID" is answered with the time, in nanoseconds of the monotonic clock, at which the
// callback was told of the row; "expect FIRST N" with "ok" once each of those rows was told of,
// once. An answer waits until it can be given.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(resolve("build/bench/npm") + "/");
let postgres;
try {
  postgres = require("postgres");
} catch {
  console.log("the npm package postgres");
  process.exit(0);
}

const address = Object.fromEntries(process.env.PAOS_CONNINFO.split(" ").map((item) => item.split("=")));
const sql = postgres({
  host: address.host,
  port: Number(address.port),
  database: address.dbname,
  user: address.user,
  publications: "bench_live",
  onnotice: () => {},
});

const told = new Map();
let question = () => {};

await sql.subscribe("insert:bench.plain", (row) => {
  const now = process.hrtime.bigint();
  const id = Number(row.id);
  if (told.has(id)) console.log(`told of row ${id} twice`);
  told.set(id, now);
  question();
});

// Tries again at each event until it says that it was answered.
function answer(attempt) {
  question = () => {
    if (attempt()) question = () => {};
  };
  question();
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const [what, first, n] = line.split(" ");
  const id = Number(first);
  if (what === "when") {
    answer(() => told.has(id) && (console.log(String(told.get(id))), true));
    return;
  }
  let next = id;
  answer(() => {
    while (next < id + Number(n) && told.has(next)) next++;
    return next === id + Number(n) && (console.log("ok"), true);
  });
}).on("close", async () => {
  await sql.end({ timeout: 1 });
  process.exit(0);
});
console.log("ready");
