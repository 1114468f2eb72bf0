#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// The next request of this kind to the broker gets no error: the count of those that are still to come
// tells how many came. (Swift calls no function with a variable number of arguments.)
static inline rd_kafka_resp_err_t shim_mock_foresee(
    rd_kafka_mock_cluster_t *cluster, int32_t broker, int16_t kind) {
    return rd_kafka_mock_broker_push_request_error_rtts(
        cluster, broker, kind, 1, RD_KAFKA_RESP_ERR_NO_ERROR, 0);
}
