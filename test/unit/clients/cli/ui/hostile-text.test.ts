import t from 'tap'
import {showsHostile, tellsHostile} from './hostile-text.ts'

t.test('ui: whatever apps are called and write, no line is wider than the terminal, and none acts on it', async t =>
  showsHostile(t, 3)
)

t.test('the lines of a start and of an end, with names like that, and 200 apps', async t => tellsHostile(t, 3))
