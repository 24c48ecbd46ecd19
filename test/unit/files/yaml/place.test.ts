import t from 'tap'
import {placeIn} from '../../../../src/files/yaml/place.ts'

t.test('each offset has its line, in whatever order they are asked for', async t => {
  const text = 'a: 1\r\n\nlonger: 2\nlast'
  const lines = text.split('\n')
  for (let offset = text.length - 1; offset >= 0; offset--) {
    const before = text.slice(0, offset).split('\n')
    const {file, line, column, source} = placeIn({file: 'x', text}, offset)
    t.same({file, line, column}, {file: 'x', line: before.length, column: (before.at(-1) ?? '').length + 1})
    t.equal(source, lines[line - 1]?.replace('\r', ''))
  }
  t.match(placeIn({file: 'y', text: ''}, 0), {line: 1, column: 1, source: ''})
  t.match(placeIn({file: 'y', text: 'b\n'}, 2), {line: 2, column: 1, source: ''})
})

t.test('thousands of places of a large file take no time, also from its end to its start', async t => {
  const text = 'key: value\n'.repeat(90_000)
  const from = process.cpuUsage()
  for (let offset = text.length - 1; offset > 0; offset -= 100) placeIn({file: 'x', text}, offset)
  t.ok(process.cpuUsage(from).user < 2e6)
})
