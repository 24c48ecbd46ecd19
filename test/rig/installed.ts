import {execFileSync} from 'node:child_process'
import type {Test} from 'tap'

/** Whether a program can be run. Without it the test fails in CI; elsewhere it says what was not run. */
export const has = (test: Test, program: string, args: readonly string[] = ['--version']): boolean => {
  try {
    execFileSync(program, args, {stdio: 'ignore'})
    return true
  } catch {
    if (process.env['CI'] === 'true') test.fail(`${program} is missing`)
    else test.comment(`${program} is missing: what needs it was not run`)
    return false
  }
}
