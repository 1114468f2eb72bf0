#include "ctestkafka.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

static rd_kafka_t *client(const char *servers, char *error, size_t size) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    if (rd_kafka_conf_set(configuration, "bootstrap.servers", servers, error, size) ||
        rd_kafka_conf_set(configuration, "log_level", "0", error, size)) {
        rd_kafka_conf_destroy(configuration);
        return NULL;
    }
    rd_kafka_t *made = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, error, size);
    if (!made) rd_kafka_conf_destroy(configuration);
    return made;
}

// Whether the leader of a partition tells its end. A broker is named as the leader before it knows
// that it is. (rd_kafka_query_watermark_offsets heeds no time limit before librdkafka 2.3.0.)
static int answers(rd_kafka_t *asking, const char *topic, int32_t partition, int milliseconds) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = RD_KAFKA_OFFSET_END;
    int answered =
        rd_kafka_offsets_for_times(asking, list, milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    return answered;
}

int ctest_kafka_describe(const char *servers, const char *topic, int milliseconds, int *brokers,
                         int *partitions, int *silent, char *error, size_t size) {
    rd_kafka_t *asking = client(servers, error, size);
    if (!asking) return -1;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(asking, 1, NULL, &metadata, milliseconds);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *brokers = metadata->broker_cnt;
        *partitions = *silent = 0;
        for (int t = 0; t < metadata->topic_cnt; t++) {
            const rd_kafka_metadata_topic_t *one = &metadata->topics[t];
            if (strcmp(one->topic, topic) == 0) *partitions = one->partition_cnt;
            for (int p = 0; p < one->partition_cnt; p++)
                *silent += !answers(asking, one->topic, one->partitions[p].id, milliseconds);
        }
        rd_kafka_metadata_destroy(metadata);
    } else {
        snprintf(error, size, "metadata: %s", rd_kafka_err2str(code));
    }
    rd_kafka_destroy(asking);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

// The verdict on the one topic of an answer.
static int verdict(const rd_kafka_event_t *event, char *error, size_t size) {
    if (!event) {
        snprintf(error, size, "create topic: no answer in time");
        return -1;
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        snprintf(error, size, "create topic: %s", rd_kafka_event_error_string(event));
        return -1;
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &count);
    if (count == 1 && rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    const char *reason = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
    snprintf(error, size, "create topic: %s", reason ? reason : "an answer without a verdict");
    return -1;
}

int ctest_kafka_create_topic(const char *servers, const char *topic, int partitions,
                             int replicas, int milliseconds, char *error, size_t size) {
    rd_kafka_t *asking = client(servers, error, size);
    if (!asking) return -1;
    int result = -1;
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, replicas, error, size);
    if (wanted) {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(asking);
        rd_kafka_CreateTopics(asking, &wanted, 1, NULL, queue);
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, milliseconds);
        result = verdict(event, error, size);
        if (event) rd_kafka_event_destroy(event);
        rd_kafka_queue_destroy(queue);
        rd_kafka_NewTopic_destroy(wanted);
    }
    rd_kafka_destroy(asking);
    return result;
}
