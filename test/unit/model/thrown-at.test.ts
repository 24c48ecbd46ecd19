import t from 'tap'
import {thrownAt} from '../../../src/model/thrown-at.ts'

t.test('an exception was thrown at the innermost place in code of the app', async t => {
  const node = `Error: no
    at Parser.parse (/srv/shop/node_modules/pg-protocol/dist/parser.js:285:98)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)
    at async find (/srv/shop/stock.js:7:9)
    at async serve (/srv/shop/stock.js:20:3)`
  t.equal(thrownAt({stack: node}), 'async find (/srv/shop/stock.js:7:9)')
  const python = `Traceback (most recent call last):
  File "/srv/.venv/lib/python3.11/site-packages/flask/app.py", line 902, in dispatch_request
    return self.view(**values)
  File "/srv/stock.py", line 19, in find
    database.execute(text)
  File "/usr/lib/python3.11/sqlite3/dbapi2.py", line 5, in execute
sqlite3.OperationalError: no such table: missing`
  t.equal(thrownAt({stack: python}), 'File "/srv/stock.py", line 19, in find')
  const dotnet = `System.FormatException: no
   at System.Number.ThrowFormatException[TChar](ReadOnlySpan\`1 value)
   at Shop.Stock.Find(String id) in /srv/Stock.cs:line 5`
  t.equal(thrownAt({stack: dotnet}), 'Shop.Stock.Find(String id) in /srv/Stock.cs:line 5')
  const java = 'E: x\n\tat java.base/java.lang.Integer.parseInt(Integer.java:661)\n\tat shop.Stock.find(Stock.java:5)'
  t.equal(thrownAt({stack: java}), 'shop.Stock.find(Stock.java:5)')
})

t.test('where only a library is in its stack, it was thrown there', async t => {
  t.equal(thrownAt({stack: 'E: x\n    at a (/b/node_modules/c.js:1:2)'}), 'a (/b/node_modules/c.js:1:2)')
  t.equal(thrownAt({stack: 'E: x\n\tat Shop.item(Shop.java:55)'}), 'Shop.item(Shop.java:55)')
  t.equal(thrownAt({stack: 'x'}), '')
})
