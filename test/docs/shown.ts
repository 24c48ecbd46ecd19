import {blocksOf, commandsIn, PAGES, textOf} from '../rig/page.ts'
import type {Program} from '../rig/program.ts'
import type {Rig} from '../rig/rig.ts'

/** What our pages say in place of a name: one of what runs here. */
const MEANT: readonly (readonly [placeholder: string, meant: string])[] = [
  ['<ID>', 'shop'],
  ['pr-214', 'work'],
  ['NAME', 'hello'],
  ['VERSION', '2.0.0'],
  ['/path/to/directory', '.'],
  ['source', 'cat'], // sh has none
  ['kubectl apply -f -', 'cat'],
  ['kubectl diff --server-side -f -', 'cat']
]
/** Pages whose blocks are run whole: by `wait.test.ts`, by `test/kubernetes/page.test.ts`, by `paths.test.ts`. */
const OF_SCRIPTS = ['docs/wait.md', 'docs/past-one-machine.md', 'docs/from-a-procfile.md', 'docs/from-compose.md']

/** Every command of ours that README and docs/ show: as code, or as a line of a block. Forms (`[flags]`, `a|b`) are none. */
function shown(): readonly string[] {
  const commands = PAGES.filter(page => !page.startsWith('examples/')).flatMap(page => [
    ...[...textOf(page).matchAll(/`(pillion [a-z][^`]*)`|^ +(pillion [a-z].*)|written by: (pillion [^)]*)\)/gm)].map(
      ([, inText, inHelp, inComment]) => (inText ?? inHelp ?? inComment ?? '').trim()
    ),
    ...(OF_SCRIPTS.includes(page) ? [] : blocksOf(page).flatMap(commandsIn))
  ])
  return [...new Set(commands)].filter(command => !/\[(?!Ee)|…|\w\|\w/.test(command))
}

const asTyped = (command: string): string =>
  MEANT.reduce((typed, [placeholder, meant]) => typed.replace(placeholder, meant), command)

/** A command as it is typed, `pillion` being the program that is tested. */
export function inShell(rig: Rig, command: string): Program {
  const words = rig.program.map(word => `'${word}'`).join(' ')
  const typed = asTyped(command)
  // alone it is the program itself, so that it gets signals
  return /^pillion [^|;&>]*$/.test(typed)
    ? rig.start(['sh', '-c', `exec ${words} ${typed.slice('pillion '.length)}`])
    : rig.start(['sh', '-c', `pillion() { ${words} "$@"; }; ${typed}`])
}

/** It goes on until it is stopped, at one port of the machine: `redis.test.ts` starts it. */
const SERVING = /^pillion redis\b/
/** They need calls and ends, or go on. */
const OF_CALLS = /^pillion (?:calls|trace|why|replay|events)\b/
/** It waits for a line: `wait.test.ts` has it. */
const OF_LINES = /^pillion wait --for 'log/
/** They need a cluster: `test/kubernetes` runs them. */
const OF_CLUSTER = /^pillion \w+ -k\b/
/** It writes a first template: `paths.test.ts` and `e2e/import*.test.ts` run the pages about import. */
const OF_IMPORT = /^pillion import(?: (?:compose\.yaml|Procfile|--check))*$/
/** They end with a command: `in-ci.test.ts` runs them. */
const OF_CI = /^pillion up .*--run\b/

/** They need a workflow or a job: `sdks/workflow-verbs.test.ts` and `long/jobs-verbs.test.ts` run the verbs. */
const OF_WORKFLOWS = /^pillion (?:workflow|jobs|scheduler|actors|reminders|skip|wait --for workflow:)/

/** They need names, which are off in CI, and would change trust stores: `e2e/names*.test.ts` and `browser/names.test.ts`. */
const OF_NAMES = /^pillion (?:name|show|trust)\b/

/** It needs a release: `release/upgrade.test.ts` has it. */
const OF_RELEASE = /^pillion upgrade\b/

/** They need a terminal: `long/ui.test.ts` and `long/attach.test.ts` have them. */
const OF_TERMINALS = /^pillion (?:ui|attach)\b/

/** It runs a command of the reader's project: `e2e/exec.test.ts` has it. */
const OF_EXEC = /^pillion exec\b/
/** It returns while its run goes on: `e2e/up-detached.test.ts` has it. */
const DETACHED = /^pillion up .*(?:-d|--detach)\b/

/** They need another copy of the template, or a web app: `long/copies-command.test.ts`, `e2e/logs-of-copies.test.ts` and `e2e/url.test.ts` have them. */
const OF_COPIES = / --name \S+ --name |^pillion (?:url|open|show|copies (?:down|forget)) /

export const commands = shown().filter(command => !OF_CLUSTER.test(command) && !OF_COPIES.test(command))
/** They start a run. */
export const starts = commands.filter(
  command => /^pillion (run|up)\b/.test(command) && !OF_CI.test(command) && !DETACHED.test(command)
)
export const ofCalls = commands.filter(command => OF_CALLS.test(command))
/** They need a run, or nothing. */
export const others = commands.filter(
  command =>
    !starts.includes(command) &&
    ![
      OF_CI,
      SERVING,
      DETACHED,
      OF_EXEC,
      OF_CALLS,
      OF_IMPORT,
      OF_LINES,
      OF_TERMINALS,
      OF_WORKFLOWS,
      OF_RELEASE,
      OF_NAMES
    ].some(elsewhere => elsewhere.test(command))
)
