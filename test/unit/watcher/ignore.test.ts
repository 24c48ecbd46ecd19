import t from 'tap'
import {wantedOf} from '../../../src/watcher/ignore.ts'

const none = (): readonly string[] => []
const all = wantedOf({paths: ['**'], ignore: []}, none)

t.test('what no program reads as its code never counts', async t => {
  for (const folder of ['.git', 'node_modules', '.dapr', '__pycache__', '.venv', 'target', 'a/b/node_modules'])
    t.ok(all.isPruned(folder), folder)
  for (const path of [
    'shop.db',
    'shop.db-journal',
    'a/out.log',
    '.app.js.swp',
    'app.js~',
    '4913',
    '.#app.js',
    '#app.js#',
    'a.js___jb_tmp___',
    '.~lock.a.ods#'
  ])
    t.notOk(all.counts(path), path)
})

t.test('watch: true means every other file, dotfiles too', async t => {
  for (const path of ['app.js', 'src/deep/app.py', '.env', '.config/a.json', 'bin/tool.js', 'logs.txt', 'targets.txt'])
    t.ok(all.counts(path), path)
  for (const folder of ['src', 'bin', 'obj', '.config', 'targets']) t.notOk(all.isPruned(folder), folder)
})

const names = (folder: string): readonly string[] => (folder === 'api' ? ['api.csproj', 'bin'] : ['package.json'])

t.test('bin and obj beside a .NET project hold what is built', async t => {
  const wanted = wantedOf({paths: ['**'], ignore: []}, names)
  t.ok(wanted.isPruned('api/bin'))
  t.ok(wanted.isPruned('api/obj'))
  t.notOk(wanted.isPruned('bin'))
})

t.test('globs start at the folder of the app; one that names a folder means all in it', async t => {
  const wanted = wantedOf({paths: ['src/**/*.js', './lib/', '*.json'], ignore: ['lib/data', '**/*.test.js']}, none)
  for (const path of ['src/a.js', 'src/deep/a.js', 'lib/x.bin', 'package.json']) t.ok(wanted.counts(path), path)
  for (const path of ['a.js', 'src/a.css', 'lib/data/x', 'src/a.test.js', 'src/package.json'])
    t.notOk(wanted.counts(path), path)
})

t.test('a folder in which nothing can match is not looked into', async t => {
  const wanted = wantedOf({paths: ['src/*/code/**', 'lib'], ignore: ['lib/data/**']}, none)
  for (const folder of ['src', 'src/a', 'src/a/code', 'src/a/code/b', 'lib', 'lib/x'])
    t.notOk(wanted.isPruned(folder), folder)
  for (const folder of ['test', 'src/a/other', 'lib/data']) t.ok(wanted.isPruned(folder), folder)
})
