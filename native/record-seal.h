/* Checksums of the records of a write block, many at a time: what sealRecords of src/storage/write-block/record-seal.ts
 * does one by one. */
#pragma once
#include <cstdint>

namespace caltrop {

/**
 * Fills in the checksums of the flat records that follow one another from `at` up to `end`, each at a multiple of 16.
 * Stops at what is no record.
 */
void sealRecords(uint8_t *at, const uint8_t *end);

} // namespace caltrop
