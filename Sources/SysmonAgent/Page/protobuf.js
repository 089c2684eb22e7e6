// Reads protobuf messages by the descriptors that come with each channel (google/protobuf/descriptor.proto).
// 64-bit numbers become doubles, which is exact enough to look at.

const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 };
const TYPE = {
  DOUBLE: 1, FLOAT: 2, INT64: 3, UINT64: 4, INT32: 5, FIXED64: 6, FIXED32: 7, BOOL: 8, STRING: 9, MESSAGE: 11,
  BYTES: 12, UINT32: 13, ENUM: 14, SFIXED32: 15, SFIXED64: 16, SINT32: 17, SINT64: 18,
};
const REPEATED = 3;
const text = new TextDecoder();

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = 0;
  }

  get isAtEnd() { return this.offset >= this.bytes.length; }

  varint() {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.view.getUint8(this.offset++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number without an end");
  }

  stretch() {
    const length = Number(this.varint());
    if (length > this.bytes.length - this.offset) throw new RangeError("a field beyond the end");
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  fixed(method, size) {
    const value = this.view[method](this.offset, true);
    this.offset += size;
    return value;
  }

  // Calls `take(number, wire)`, which returns false for a field that it does not read.
  fields(take) {
    while (!this.isAtEnd) {
      const tag = Number(this.varint());
      const wire = tag & 7;
      if (take(tag >>> 3, wire) !== false) continue;
      if (wire === WIRE.VARINT) this.varint();
      else if (wire === WIRE.BYTES) this.stretch();
      else if (wire === WIRE.FIXED64) this.offset += 8;
      else if (wire === WIRE.FIXED32) this.offset += 4;
      else throw new RangeError("a wire type that is not known");
    }
  }
}

// The messages of a base64 FileDescriptorSet.
export class Schema {
  constructor(base64) {
    this.types = new Map();
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const set = new Reader(bytes);
    set.fields((number) => number === 1 && this.#readFile(set.stretch()));
  }

  #readFile(bytes) {
    const reader = new Reader(bytes);
    const messages = [];
    let scope = "";
    reader.fields((number) => {
      if (number === 2) scope = `.${text.decode(reader.stretch())}`;
      else if (number === 4) messages.push(reader.stretch());
      else return false;
    });
    for (const message of messages) this.#readType(message, scope);
  }

  #readType(bytes, scope) {
    const reader = new Reader(bytes);
    const fields = new Map();
    const nested = [];
    let name = "";
    reader.fields((number) => {
      if (number === 1) name = `${scope}.${text.decode(reader.stretch())}`;
      else if (number === 2) {
        const field = this.#readField(reader.stretch());
        fields.set(field.number, field);
      } else if (number === 3) nested.push(reader.stretch());
      else return false;
    });
    this.types.set(name, fields);
    for (const type of nested) this.#readType(type, name);
  }

  #readField(bytes) {
    const reader = new Reader(bytes);
    const field = { name: "", number: 0, isRepeated: false, type: 0, typeName: "" };
    reader.fields((number) => {
      if (number === 1) field.name = text.decode(reader.stretch());
      else if (number === 3) field.number = Number(reader.varint());
      else if (number === 4) field.isRepeated = Number(reader.varint()) === REPEATED;
      else if (number === 5) field.type = Number(reader.varint());
      else if (number === 6) field.typeName = text.decode(reader.stretch());
      else return false;
    });
    return field;
  }

  // What a message does not say is 0, "", false, [] or undefined (a message).
  decode(name, bytes) { return this.#message(`.${name}`, bytes); }

  #message(name, bytes) {
    const fields = this.types.get(name);
    if (!fields) throw new RangeError(`${name} is not described`);
    const message = {};
    for (const field of fields.values()) message[field.name] = field.isRepeated ? [] : absent(field.type);
    const reader = new Reader(bytes);
    reader.fields((number, wire) => {
      const field = fields.get(number);
      if (!field) return false;
      if (field.isRepeated && wire === WIRE.BYTES && isNumber(field.type)) {
        const packed = new Reader(reader.stretch());
        while (!packed.isAtEnd) message[field.name].push(this.#value(field, packed));
      } else if (field.isRepeated) message[field.name].push(this.#value(field, reader));
      else message[field.name] = this.#value(field, reader);
    });
    return message;
  }

  #value(field, reader) {
    switch (field.type) {
      case TYPE.DOUBLE: return reader.fixed("getFloat64", 8);
      case TYPE.FLOAT: return reader.fixed("getFloat32", 4);
      case TYPE.FIXED64: return Number(reader.fixed("getBigUint64", 8));
      case TYPE.SFIXED64: return Number(reader.fixed("getBigInt64", 8));
      case TYPE.FIXED32: return reader.fixed("getUint32", 4);
      case TYPE.SFIXED32: return reader.fixed("getInt32", 4);
      case TYPE.BOOL: return reader.varint() !== 0n;
      case TYPE.STRING: return text.decode(reader.stretch());
      case TYPE.BYTES: return reader.stretch();
      case TYPE.MESSAGE: return this.#message(field.typeName, reader.stretch());
      case TYPE.UINT32: case TYPE.UINT64: return Number(reader.varint());
      case TYPE.SINT32: case TYPE.SINT64: return zigzag(reader.varint());
      case TYPE.INT32: case TYPE.INT64: case TYPE.ENUM: return Number(BigInt.asIntN(64, reader.varint()));
      default: throw new RangeError(`${field.name} has a type that is not known`);
    }
  }
}

function zigzag(value) { return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))); }

function isNumber(type) { return ![TYPE.STRING, TYPE.BYTES, TYPE.MESSAGE].includes(type); }

function absent(type) {
  if (type === TYPE.MESSAGE) return undefined;
  if (type === TYPE.STRING) return "";
  return type === TYPE.BOOL ? false : 0;
}
