import {createServer} from 'node:http'

createServer((request, response) => response.end(JSON.stringify({apple: 40, pear: 55, melon: 280}))).listen(
  process.env.APP_PORT,
  '127.0.0.1',
  () => console.log('three prices')
)
