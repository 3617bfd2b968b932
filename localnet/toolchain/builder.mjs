// One request in on stdin, one answer out on stdout, both JSON: the Move compiler and test runner of Sui, offline.
// request:  {operation: "compile" | "test", files: {path: text}, framework: {MoveStdlib | Sui | SuiSystem: {path: text}},
//            dependencies: {name: {path: text}}}; the last are packages that the manifest names as local ones
// answer:   {versions, result}; `result` is the builder's own, either of a success or {error, category, code}.
import { readFileSync, writeFileSync } from "node:fs";
import {
  dumpMovePackage,
  getPinnedSuiMoveVersion,
  getPinnedSuiVersion,
  initMovePackageBuilder,
  testMovePackage,
} from "@zktx.io/sui-move-builder/full";

// stdout carries the answer only; the builder logs to the console
for (const level of ["log", "info", "warn", "debug"]) console[level] = console.error;

const request = JSON.parse(readFileSync(0, "utf8"));

// The builder asks for the framework by its path in Sui's repository; nothing else may be asked for, so nothing is downloaded.
const PACKAGE_OF = { "move-stdlib": "MoveStdlib", "sui-framework": "Sui", "sui-system": "SuiSystem" };
const fetcher = {
  async fetch(repository, revision, subdirectory) {
    const files = request.framework[PACKAGE_OF[subdirectory?.split("/").pop()]];
    if (!files) throw new Error(`no package ${repository} ${subdirectory ?? ""}: contracts may depend on the Sui framework only, and on local packages`);
    return files;
  },
  async fetchLocal(path, { dependencyName }) {
    const files = request.dependencies[dependencyName];
    if (!files) throw new Error(`no package ${dependencyName} at ${path}`);
    return files;
  },
  async fetchFile() {
    return null;
  },
  getResolvedSha() {
    return undefined;
  },
};

await initMovePackageBuilder();
const run = { compile: dumpMovePackage, test: testMovePackage }[request.operation];
const result = await run({ files: request.files, fetcher, network: "mainnet", ansiColor: false });
const versions = { sui: await getPinnedSuiVersion(), move: await getPinnedSuiMoveVersion() };
writeFileSync(1, JSON.stringify({ versions, result }));
