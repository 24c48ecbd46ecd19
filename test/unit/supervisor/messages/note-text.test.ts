import t from 'tap'
import {reportNote} from '../../../../src/supervisor/messages/note-text.ts'

t.test('the verdict on an app that dies again and again names its end and the line that says most', async t => {
  const note = {type: 'given-up', times: 16, exit: {kind: 'code', code: 3}, line: 'no disk'} as const
  const told: string[] = []
  reportNote({warn: (code, text) => told.push(code, ...text.split('\n'))}, 'stock', note)
  t.same(told, [
    'app-given-up',
    '"stock" is no longer restarted: it exited with code 3 within a second, 16 times in a row',
    '    no disk'
  ])
})
