// A Kafka cluster in a process of its own: librdkafka's mock brokers. It can be stopped and killed as
// a real one can.
//
//   mock-broker BROKERS PARTITIONS [TOPIC...]
//
// makes each TOPIC with PARTITIONS partitions (a topic that a client asks for and that is not there
// is made with librdkafka's default, 4), prints the brokers' addresses on one line, obeys the lines
// of its standard input, and ends when that is closed. A line is answered by "ok" or "error TEXT":
//
//   topic NAME PARTITIONS           makes a topic
//   topic-error NAME CODE           metadata of the topic gives this error code; 0: none again
//   down BROKER | up BROKER         the broker (from 1; -1: all) refuses connections | takes them again
//   rtt BROKER MILLISECONDS         the broker (-1: all) answers this much later
//   errors APIKEY CODE...           the next requests of this kind (Produce is 0) fail so, in turn
//
// The process starts no others: librdkafka closes a broker's port and binds it again when the broker
// goes down, and asserts that it gets it; a child between fork and exec would still hold it.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int answer(rd_kafka_resp_err_t code) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return puts("ok");
    return printf("error %s\n", rd_kafka_err2str(code));
}

static int obey(rd_kafka_mock_cluster_t *cluster, const char *line) {
    char name[256];
    int one, two, read;
    if (sscanf(line, "topic %255s %d", name, &one) == 2)
        return answer(rd_kafka_mock_topic_create(cluster, name, one, 1));
    if (sscanf(line, "topic-error %255s %d", name, &one) == 2) {
        rd_kafka_mock_topic_set_error(cluster, name, (rd_kafka_resp_err_t)one);
        return answer(RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    if (sscanf(line, "down %d", &one) == 1)
        return answer(rd_kafka_mock_broker_set_down(cluster, one));
    if (sscanf(line, "up %d", &one) == 1) return answer(rd_kafka_mock_broker_set_up(cluster, one));
    if (sscanf(line, "rtt %d %d", &one, &two) == 2)
        return answer(rd_kafka_mock_broker_set_rtt(cluster, one, two));
    if (sscanf(line, "errors %d%n", &one, &read) == 1) {
        rd_kafka_resp_err_t codes[64];
        size_t count = 0;
        for (line += read; count < 64 && sscanf(line, "%d%n", &two, &read) == 1; line += read)
            codes[count++] = (rd_kafka_resp_err_t)two;
        rd_kafka_mock_push_request_errors_array(cluster, (int16_t)one, count, codes);
        return answer(RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    return printf("error no such command: %s", line);
}

int main(int count, char **arguments) {
    int brokers = count > 2 ? atoi(arguments[1]) : 0;
    int partitions = count > 2 ? atoi(arguments[2]) : 0;
    if (brokers < 1 || partitions < 1) {
        fprintf(stderr, "usage: mock-broker BROKERS PARTITIONS [TOPIC...]\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    char text[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
    if (!client) {
        fprintf(stderr, "rd_kafka_new: %s\n", text);
        return 70;
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, brokers);
    if (!cluster) {
        fprintf(stderr, "rd_kafka_mock_cluster_new failed\n");
        return 70;
    }
    for (int i = 3; i < count; i++) {
        rd_kafka_resp_err_t code =
            rd_kafka_mock_topic_create(cluster, arguments[i], partitions, brokers < 3 ? brokers : 3);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fprintf(stderr, "topic %s: %s\n", arguments[i], rd_kafka_err2str(code));
            return 70;
        }
    }
    puts(rd_kafka_mock_cluster_bootstraps(cluster));
    char line[512];
    while (fgets(line, sizeof line, stdin)) obey(cluster, line);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
    return 0;
}
