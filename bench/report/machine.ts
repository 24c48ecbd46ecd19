import {execFileSync, spawnSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {cpus, release, totalmem, type} from 'node:os'
import {join} from 'node:path'
import {daprd} from '../lanes.ts'
import {PEERS} from '../peers.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Cores, model, memory, kernel: nothing that names this machine. */
export function machine(): string {
  const all = cpus()
  const model = all[0]?.model.trim() ?? 'unknown'
  return `${all.length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`
}

/** Commands that tell a version. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  nginx: ['nginx', '-v'],
  wrk: ['wrk', '-v'],
  go: ['go', 'version'],
  cc: ['cc', '--version'],
  'redis-server': ['redis-server', '--version'],
  daprd: [daprd() ?? '', '--version']
}

/** Peers that are Node itself, or a figure of another kind. */
const NODE = new Set(['node --watch', 'node -e 0'])
const NEEDS: Readonly<Record<string, readonly string[]>> = {daprd: ['daprd', 'redis-server']}

/** The versions of Pillion, of Node and of what is named, as far as they have one. */
export function versionsOf(names: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {Pillion: ownVersion(), Node: process.version}
  for (const name of names.flatMap(each => NEEDS[each] ?? [each])) {
    const version = NODE.has(name) ? undefined : (PEERS.find(peer => peer.name === name)?.version ?? asked(name))
    if (version !== undefined) found[name] = version
  }
  return found
}

function ownVersion(): string {
  const {version} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {readonly version: string}
  try {
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {cwd: ROOT, encoding: 'utf8'})
    return `${version} (${commit.trim()})`
  } catch {
    return version // no checkout
  }
}

function asked(name: string): string | undefined {
  const [command = '', ...args] = ASKED[name] ?? []
  if (command === '') return undefined
  const {stdout, stderr} = spawnSync(command, args, {encoding: 'utf8'})
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0]
}
