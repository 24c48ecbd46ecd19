import {execFileSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const MAX_SUBJECT = 72
/** Commits after this moment are checked: older ones are not rewritten. */
const SINCE = '--since=2026-11-26T14:30:00Z'

t.test('a commit’s subject has 72 characters', {skip: !existsSync(join(ROOT, '.git')) && 'no repository'}, async t => {
  const subjects = execFileSync('git', ['log', SINCE, '--format=%s'], {cwd: ROOT, encoding: 'utf8'}).trim().split('\n')
  t.strictSame(
    subjects.filter(subject => subject.length > MAX_SUBJECT),
    [],
    'the reason for the change belongs below the subject: git commit --amend'
  )
})
