import {rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {messageOf} from '../model/errors.ts'

/** A program that still runs after this time shows the page itself. */
const FAILS_WITHIN_MS = 3000

/**
 * Opens an address in the user's browser. Returns '' on success, else the reason. The address goes through a file that only the user can
 * read: everybody on the machine can read command lines. `folder`: accessible only to the user. `BROWSER` names another program.
 */
export async function openInBrowser(url: string, folder: string, env: Environment): Promise<string> {
  const named = env['BROWSER'] ?? ''
  const hasScreen = process.platform === 'darwin' || named !== '' || env['DISPLAY'] || env['WAYLAND_DISPLAY']
  if (!hasScreen) return 'there is no screen here'
  const program = named !== '' ? named : process.platform === 'darwin' ? 'open' : 'xdg-open'
  const path = join(folder, 'dashboard.html')
  rmSync(path, {force: true})
  writeFileSync(path, pageTo(url), {mode: 0o600, flag: 'wx'})
  const {spawn} = process.getBuiltinModule('node:child_process')
  return new Promise(resolve => {
    const child = spawn(program, [path], {detached: true, stdio: 'ignore', cwd: '/'})
    const timer = setTimeout(() => resolve(''), FAILS_WITHIN_MS).unref()
    const settle = (why: string): void => {
      clearTimeout(timer)
      resolve(why)
    }
    child.on('error', error => settle(`${program} could not be started: ${messageOf(error)}`))
    child.on('exit', code => settle(code === 0 ? '' : `${program} exited with ${String(code)}`))
  })
}

const pageTo = (url: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Pillion</title><meta http-equiv="refresh" content="0; url=${url}"><a href="${url}">Continue</a>\n`
