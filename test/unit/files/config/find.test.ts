import {join} from 'node:path'
import t from 'tap'
import {findTemplate} from '../../../../src/files/config/find.ts'

t.test('a template is named by a file, a folder, or - for standard input', async t => {
  const cwd = t.testdir({'dapr.yaml': '', shop: {'dapr.yaml': '', 'other.yml': ''}, 'dir.yaml': {'dapr.yaml': ''}})
  const table: readonly (readonly [string, string, string])[] = [
    ['.', 'dapr.yaml', 'dapr.yaml'],
    ['dapr.yaml', 'dapr.yaml', 'dapr.yaml'],
    ['./shop/', 'shop/dapr.yaml', 'shop/dapr.yaml'],
    ['./shop/dapr.yaml', 'shop/dapr.yaml', './shop/dapr.yaml'],
    ['shop/other.yml', 'shop/other.yml', 'shop/other.yml'],
    ['shop/../dapr.yaml', 'dapr.yaml', 'shop/../dapr.yaml'],
    ['dir.yaml', 'dir.yaml/dapr.yaml', 'dir.yaml/dapr.yaml'],
    [join(cwd, 'shop'), 'shop/dapr.yaml', join(cwd, 'shop/dapr.yaml')]
  ]
  for (const [typed, file, shownAs] of table) {
    const found = findTemplate(typed, cwd)
    t.strictSame(found, {file: join(cwd, file), shownAs, folder: join(cwd, file, '..')}, typed)
  }
  t.strictSame(findTemplate('-', cwd), {file: join(cwd, '-'), shownAs: '-', folder: cwd})
})

t.test('a link to a template is its own template', async t => {
  const cwd = t.testdir({shop: {'dapr.yaml': ''}, 'link.yaml': t.fixture('symlink', 'shop/dapr.yaml')})
  t.equal(findTemplate('link.yaml', cwd).file, join(cwd, 'link.yaml'))
})

t.test('what cannot be found is told as Dapr tells it, on stderr', async t => {
  const cwd = t.testdir({res: {}, 'app.mjs': '', 'shop.yaml.bak': ''})
  const table: readonly (readonly [string, string])[] = [
    ['nothere.yaml', 'error getting file info for nothere.yaml: stat nothere.yaml: no such file or directory'],
    ['app.mjs/x', 'error getting file info for app.mjs/x: stat app.mjs/x: not a directory'],
    [
      './res',
      'error in validating the file path "res/dapr.yaml": error in getting the file info for res/dapr.yaml: stat res/dapr.yaml: no such file or directory'
    ],
    [
      '.',
      'error in validating the file path "dapr.yaml": error in getting the file info for dapr.yaml: stat dapr.yaml: no such file or directory'
    ],
    ['app.mjs', 'file "app.mjs" is not a YAML file'],
    ['shop.yaml.bak', 'file "shop.yaml.bak" is not a YAML file']
  ]
  for (const [typed, message] of table)
    t.throws(
      () => findTemplate(typed, cwd),
      {name: 'UserError', message: `Failed to get run file path: ${message}`, stream: 'stderr', exitCode: 1},
      typed
    )
})

t.test('below a template, its place is told', async t => {
  const cwd = t.testdir({'dapr.yml': '', src: {deep: {}}})
  const error = t.throws(() => findTemplate('.', join(cwd, 'src/deep')))
  t.match(error, {
    explanation: 'There is no template in this folder. The nearest one above is ../../dapr.yml: -f ../..'
  })
})
