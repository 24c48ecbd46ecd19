import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {OtherTool} from '#import'
import {UserError} from '../../model/errors.ts'
import {readTextFile} from '../../model/read-file.ts'
import {shellQuoted} from '../../model/shell-quoted.ts'
import {findProgram} from '../../platform/program-version.ts'
import {runCommand} from '../../platform/run-command.ts'
import {confirm} from './input.ts'
import {say} from './say.ts'

/** A tool that builds the project first takes minutes. */
const TIMEOUT_MS = 600_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs the tool of a project, which runs code of that project, and returns its standard output. Rejects with a `UserError` if the user does not agree, or the tool fails. */
export async function outputOfTool(
  {name, of, command, folder}: OtherTool,
  {isAgreed, asJson}: {readonly isAgreed: boolean; readonly asJson: boolean}
): Promise<string> {
  const {PATH: searchPath = ''} = process.env
  const [program = ''] = command
  const shown = command.map(shellQuoted).join(' ')
  if (findProgram(program, searchPath) === undefined)
    throw new UserError(`there is no program ${program}, and only it can read ${of}: install ${name}`, {
      explanation:
        'Without it, import reads compose files, Procfiles, manifests and the projects of a folder: --from folder.'
    })
  if (!isAgreed && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UserError(`${of} is a program: reading it runs code of this project`, {
      explanation: `--yes runs: ${shown}`,
      code: 'agree'
    })
  if (isAgreed) say(process.stderr, 'info', `running ${shown}`, asJson)
  else await confirm(`run ${shown}, and with it code of this project`)
  const output = mkdtempSync(join(tmpdir(), 'pillion-tool-'))
  const [stdout, stderr] = [join(output, 'stdout'), join(output, 'stderr')]
  const now = new AbortController()
  const stop = (): void => now.abort()
  for (const signal of SIGNALS) process.on(signal, stop)
  try {
    const {env} = process
    const why = await runCommand({
      command,
      folder,
      env,
      timeoutMs: TIMEOUT_MS,
      output: {stdout, stderr},
      signal: now.signal
    })
    if (why === '') return readTextFile(stdout)
    const lines = [stdout, stderr].flatMap(path => readTextFile(path).trim().split('\n')).filter(Boolean)
    throw new UserError(`cannot import ${of}: ${program} ${why}`, {explanation: lines.slice(-MAX_LINES).join('\n')})
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
    rmSync(output, {recursive: true, force: true})
  }
}

/** The last lines of a failed tool that are shown. */
const MAX_LINES = 20
