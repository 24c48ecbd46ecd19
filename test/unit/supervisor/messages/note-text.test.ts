import t from 'tap'
import {reportNote} from '../../../../src/supervisor/messages/note-text.ts'

t.test('the verdict on an app that dies again and again names its end and its last words', async t => {
  const note = {type: 'given-up', markers: 16, exit: {kind: 'code', code: 3}, lastLines: ['no disk', 'bye']} as const
  const told: string[] = []
  reportNote({warn: (code, text) => told.push(code, ...text.split('\n'))}, 'stock', note)
  t.same(told, [
    'app-given-up',
    '"stock" is not started again: it exited with code 3 16 times in a row within a second; its last lines on stderr:',
    '    no disk',
    '    bye'
  ])
})
