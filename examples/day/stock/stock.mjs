import {createServer} from 'node:http'

createServer((request, response) => response.end(JSON.stringify({apple: 3, pear: 2, melon: 1}))).listen(
  process.env.APP_PORT,
  '127.0.0.1',
  () => console.log('open')
)
