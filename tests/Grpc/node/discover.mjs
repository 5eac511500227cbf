// What a client that knows nothing but an address can find out: asks the server by reflection which services there are, fetches
// the description of one, and builds a client from it.

import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

/**
 * @param {string} address host:port
 * @param {'v1'|'v1alpha'} version of the reflection service
 * @param {string} suffix of the wanted service's full name
 */
export async function discover(address, version, suffix) {
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

  const services = (await ask({ list_services: '*' })).list_services_response.service.map((service) => service.name);
  const name = services.find((service) => service.endsWith(suffix));
  const files = (await ask({ file_containing_symbol: name })).file_descriptor_response.file_descriptor_proto;
  conversation.end();
  reflection.close();

  const definition = loader.loadFileDescriptorSetFromBuffer(descriptorSet(files), { keepCase: true, longs: Number });
  const Discovered = name.split('.').reduce((scope, part) => scope[part], grpc.loadPackageDefinition(definition));
  return { services, client: new Discovered(address, credentials) };
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
