import {execFileSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {Gitignore} from '../../../../src/files/watcher/app-filter.ts'

const FILES = {
  '.gitignore':
    '# built\ndist\n*.tmp\n/top.js\nlogs/\n!keep.tmp\n\\#odd\nsp\\ ace\ntrail   \nkept\\   \nonly/**\n!only/me\n*.o\n!deep\n',
  api: {
    '.gitignore': 'gen/*\n!gen/mine.js\n!x.tmp\n{a,b}.js\nsub/deep\n',
    'a.js': '',
    '{a,b}.js': '',
    'x.tmp': '',
    'y.tmp': '',
    'top.js': '',
    '#odd': '',
    'sp ace': '',
    trail: '',
    'kept ': '',
    kept: '',
    dist: {'a.js': '', 'keep.tmp': ''},
    gen: {'a.js': '', 'mine.js': ''},
    logs: {'a.txt': ''},
    deep: {'a.o': '', 'a.c': ''},
    sub: {deep: {'a.js': ''}, gen: {'a.js': ''}, dist: ''}
  },
  // blanks at the start of a file are part of its first name, and one at its end may be
  web: {'.gitignore': ' first\nlast\\ ', first: '', ' first': '', last: '', 'last ': ''},
  'top.js': '',
  'keep.tmp': '',
  only: {me: '', you: ''},
  logs: '',
  local: ''
}

t.test('the same paths are ignored as by git', async t => {
  const folder = t.testdir(FILES)
  const git = (...args: readonly string[]): string => execFileSync('git', ['-C', folder, ...args], {encoding: 'utf8'})
  git('init', '-q')
  writeFileSync(join(folder, '.git/info/exclude'), 'local\n')
  const untracked = new Set(git('ls-files', '-o', '--exclude-standard').trim().split('\n'))
  const gitignore = new Gitignore([folder])
  const paths = pathsIn(FILES, '')
  t.ok(paths.length > 25)
  for (const path of paths) t.equal(gitignore.excludes(join(folder, path), false), !untracked.has(path), path)
})

t.test('the files above a root count as far as its repository goes', async t => {
  const folder = t.testdir({
    '.gitignore': '*.js\n',
    repository: {'.git': '', '.gitignore': '*.css\nbuilt\n', app: {}, built: {}}
  })
  const gitignore = new Gitignore([join(folder, 'repository/app')])
  t.ok(gitignore.excludes(join(folder, 'repository/app/a.css'), false))
  t.notOk(gitignore.excludes(join(folder, 'repository/app/a.js'), false))
  t.notOk(gitignore.excludes(join(folder, 'elsewhere/a.css'), false), 'it is in no root')
  const built = new Gitignore([join(folder, 'repository/built')])
  t.notOk(built.excludes(join(folder, 'repository/built/a.html'), false), 'an ignored root is watched all the same')
})

t.test('rules with many stars take no time to speak of', async t => {
  const folder = t.testdir({'.gitignore': `${'*a'.repeat(50)}b\n`})
  t.notOk(new Gitignore([folder]).excludes(join(folder, 'a'.repeat(200)), false))
})

t.test('lines with many blanks or slashes take no time to speak of', async t => {
  const long = ['a' + ' '.repeat(200_000) + 'b', 'a' + '/'.repeat(200_000) + 'b']
  const folder = t.testdir({'.gitignore': [...long, 'a.js'].join('\n')})
  t.ok(new Gitignore([folder]).excludes(join(folder, 'a.js'), false))
})

type Files = Readonly<{[name: string]: string | Files}>

function pathsIn(files: Files, folder: string): readonly string[] {
  return Object.entries(files).flatMap(([name, content]) =>
    typeof content === 'string' ? [`${folder}${name}`] : pathsIn(content, `${folder}${name}/`)
  )
}

t.test('in a worktree the exclude file of its repository counts', async t => {
  const folder = t.testdir({shop: {'a.js': ''}})
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', join(folder, 'shop'), '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      encoding: 'utf8'
    })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'first')
  git('worktree', 'add', '-q', join(folder, 'other'))
  writeFileSync(join(folder, 'shop/.git/info/exclude'), 'notes\n')
  const ignored = new Gitignore([join(folder, 'other')])
  t.ok(ignored.excludes(join(folder, 'other/notes'), false))
  t.notOk(ignored.excludes(join(folder, 'other/a.js'), false))
})
