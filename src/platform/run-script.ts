import {existsSync} from 'node:fs'

/** Returns a shell that passes on all variables: dash drops names with a dot, which Elasticsearch and Daeploy use; bash keeps them. */
export const keepingShell = (): string => ['/bin/bash', '/usr/bin/bash'].find(path => existsSync(path)) ?? '/bin/sh'

/** The shell that starts a program with this environment. */
export const shellFor = (env: Readonly<Record<string, string>>): string =>
  Object.keys(env).every(name => /^[A-Za-z_]\w*$/.test(name)) ? '/bin/sh' : keepingShell()

/** Runs a script of sh to its end, with our own output. Resolves with its exit code; 1 if a signal ended it. */
export async function runScript(script: string, args: readonly string[]): Promise<number> {
  const {execa} = await import('execa')
  const {exitCode = 1} = await execa('/bin/sh', ['-s', '--', ...args], {
    input: script,
    stdout: 'inherit',
    stderr: 'inherit',
    reject: false
  })
  return exitCode
}
