// node reflection.mjs <host:port> <v1|v1alpha>: a client that knows nothing but the address. It asks which services there are,
// fetches the description of one, builds a client from it, and makes a call.
// Prints {"services": [...], "size": <bytes of the answer>}.

import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, version] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();

const proto = fileURLToPath(new URL(`protos/reflection_${version}.proto`, import.meta.url));
const { ServerReflection } = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true })).grpc.reflection[version];
const reflection = new ServerReflection(address, credentials);
const conversation = reflection.ServerReflectionInfo();

function ask(request) {
  return new Promise((resolve, reject) => {
    conversation.once('data', (answer) => (answer.error_response ? reject(new Error(answer.error_response.error_message)) : resolve(answer)));
    conversation.once('error', reject);
    conversation.write(request);
  });
}

/** A FileDescriptorSet is a message whose field 1 repeats the files. */
function descriptorSet(files) {
  const parts = files.flatMap((file) => {
    const length = [];
    for (let rest = file.length; ; rest >>>= 7) {
      if (rest < 0x80) {
        length.push(rest);
        break;
      }
      length.push((rest & 0x7f) | 0x80);
    }
    return [Buffer.from([0x0a, ...length]), file];
  });
  return Buffer.concat(parts);
}

const services = (await ask({ list_services: '*' })).list_services_response.service.map((service) => service.name);
const name = services.find((service) => service.endsWith('.Interop'));
const files = (await ask({ file_containing_symbol: name })).file_descriptor_response.file_descriptor_proto;
conversation.end();

const definition = loader.loadFileDescriptorSetFromBuffer(descriptorSet(files), { keepCase: true });
const Discovered = name.split('.').reduce((scope, part) => scope[part], grpc.loadPackageDefinition(definition));
const client = new Discovered(address, credentials);
const response = await new Promise((resolve, reject) => {
  client.UnaryCall({ response_size: 42 }, (error, answer) => (error ? reject(error) : resolve(answer)));
});

console.log(JSON.stringify({ services, size: response.payload.body.length }));
client.close();
reflection.close();
