import {existsSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import {HOOK_FILE, HOOK_FIXED_PORT, HOOK_PORT} from '#daeploy'
import type {Environment} from '../model/environment.ts'
import type {PublishedPlan} from '../model/plan.ts'
import {fnv1a} from '../model/fnv1a.ts'
import {makeFolder, writeWhole} from '../platform/make-folder.ts'
import {cacheFolder} from '../platform/state-folder.ts'

const NODE_FILE = 'move-port.cjs'

/**
 * Preloaded by every Node process of an app with a published port: code that binds its own number gets the allocated port.
 * Everything that such a program reads or prints (`address()`, its log lines, its redirects) keeps the number for its callers.
 */
const NODE_TEXT = `'use strict'
// Written by pillion; see PILLION_PORT and PILLION_FIXED_PORT in the environment.
const {Server} = require('node:net')
const port = Number(process.env.PILLION_PORT)
const fixed = new Set((process.env.PILLION_FIXED_PORT || '').split(',').map(Number))
const mark = Symbol.for('pillion.move-port') // NODE_OPTIONS may name this file twice
if (port > 0 && !fixed.has(port) && !Server.prototype[mark]) {
  const {listen, address} = Server.prototype
  const moved = new WeakMap()
  const isFixed = value => (typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')) && fixed.has(Number(value))
  Object.defineProperty(Server.prototype, mark, {value: true})
  Server.prototype.listen = function (...args) {
    const [first] = args
    const isOptions = typeof first === 'object' && first !== null && first.fd === undefined && first._handle === undefined
    if (isOptions ? isFixed(first.port) : isFixed(first)) {
      moved.set(this, Number(isOptions ? first.port : first))
      args[0] = isOptions ? {...first, port} : port
    }
    return listen.apply(this, args)
  }
  Server.prototype.address = function () {
    const at = address.call(this)
    const isMoved = moved.has(this) && at !== null && typeof at === 'object' && at.port === port
    return isMoved ? {...at, port: moved.get(this)} : at
  }
}
`

/** Returns the environment of a Node or Python process that moves the port in its code when it binds. `python`: our hook. */
export function withPortHooks(
  before: Record<string, string>,
  {inCode, number}: PublishedPlan,
  {appPort, env, python}: {readonly appPort: number; readonly env: Environment; readonly python: string}
): Record<string, string> {
  if (appPort === 0 || appPort === inCode) return before
  const folder = hookFolder(env, python)
  if (folder === '') return before
  const {NODE_OPTIONS = '', PYTHONPATH = ''} = before
  return {
    ...before,
    NODE_OPTIONS: `--require ${quoted(join(folder, NODE_FILE))}${NODE_OPTIONS === '' ? '' : ` ${NODE_OPTIONS}`}`,
    PYTHONPATH: PYTHONPATH === '' ? folder : `${folder}${delimiter}${PYTHONPATH}`,
    [HOOK_PORT]: appPort.toString(),
    // a command may name the number that a copy has in its place
    [HOOK_FIXED_PORT]: [...new Set([inCode, number])].join(',')
  }
}

/**
 * Returns the folder of the hooks; '' if they cannot be written. Hooks are never removed: a process that outlives the run needs them to
 * start another. Versions of Pillion with other hooks write them next to these.
 */
function hookFolder(env: Environment, python: string): string {
  const folder = join(cacheFolder(env), `port-hooks-${fnv1a(Buffer.from(NODE_TEXT + python)).toString(16)}`)
  try {
    makeFolder(folder, 0o700)
    for (const [name, text] of [
      [NODE_FILE, NODE_TEXT],
      [HOOK_FILE, python]
    ] as const)
      if (!existsSync(join(folder, name))) writeWhole(join(folder, name), text) // another run may write it at the same moment
    return folder
  } catch {
    return ''
  }
}

/** As Node splits NODE_OPTIONS: within double quotes a backslash escapes these two. */
const quoted = (path: string): string => `"${path.replaceAll(/["\\]/g, String.raw`\$&`)}"`
