import {execFileSync} from 'node:child_process'
import {readdirSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe'
  })

t.test('bring removes nothing that the template names: env files come, app folders without git are made', async t => {
  const rig = await openRig(t)
  const main = join(rig.folder, 'main')
  const files = {
    '.gitignore': '.env\ndata\n/db\n',
    'pillion.yaml': JSON.stringify({
      version: 1,
      bring: ['data'],
      apps: [
        {id: 'api', dir: 'api', envFile: ['../.env', '../more.env'], command: ['sh', '-c', 'echo "$KEY $MORE"']},
        {id: 'db', dir: 'db', command: ['sh', '-c', 'echo "in $(basename $PWD)"']}
      ]
    }),
    'api/a.txt': 'a'
  }
  for (const [name, text] of Object.entries(files)) await rig.write({[`main/${name}`]: text})
  git(main, 'init', '-q')
  git(main, 'add', '.')
  git(main, 'commit', '-qm', 'all')
  await rig.write({
    'main/.env': 'KEY=main\n',
    'main/more.env': 'MORE=untracked\n',
    'main/data/d': 'd',
    'main/db/old': 'x'
  })
  git(main, 'worktree', 'add', '-q', '-b', 'pr', '../pr')
  const pr = join(rig.folder, 'pr')
  const first = await rig.run(['up'], {folder: 'pr'})
  t.match(first, {code: 0, stdout: /== APP - api == main untracked\n[^]*/})
  t.match(first.stdout, '== APP - db == in db\n')
  t.match(first.stderr, /brought from \S+main: [^\n]*\.env/)
  t.match(first.stderr, 'ℹ️  made the empty folder db, which git does not carry')
  t.same(
    readdirSync(join(pr, 'db')).filter(name => name !== '.dapr'),
    []
  )
  await rm(join(pr, '.env'))
  t.match(await rig.run(['up'], {folder: 'pr'}), {
    code: 1,
    stderr: `The main working tree has it: ${join(rig.folder, 'main/.env')}`
  })
})
