/** Runs a script of sh to its end, with our own output. Its exit code; 1 if a signal ended it. */
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
