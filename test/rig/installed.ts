import {execFileSync} from 'node:child_process'
import type {Test} from 'tap'
import {missing} from './missing.ts'

/** Whether a program can be run. Without it the test is skipped. */
export const has = (test: Test, program: string, args: readonly string[] = ['--version']): boolean => {
  try {
    execFileSync(program, args, {stdio: 'ignore'})
    return true
  } catch {
    test.pass(`without ${program}`, {skip: missing(program)})
    return false
  }
}
