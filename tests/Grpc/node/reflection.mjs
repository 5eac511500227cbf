// node reflection.mjs <host:port> <v1|v1alpha>: finds the interop service by reflection alone and calls it.
// Prints {"services": [...], "size": <bytes of the answer>}.

import { discover } from './discover.mjs';

const [address, version] = process.argv.slice(2);
const { services, client } = await discover(address, version, '.Interop');
const response = await new Promise((resolve, reject) => {
  client.UnaryCall({ response_size: 42 }, (error, answer) => (error ? reject(error) : resolve(answer)));
});

console.log(JSON.stringify({ services, size: response.payload.body.length }));
client.close();
